"""From a table to a suite: what it looks like, which checks that suggests and why, and the text of the suite.

Pure: measures are asked through a function, and text comes back.
"""
