"""Turns measures into answers: the rounds, the pinned inputs, and Spark."""
