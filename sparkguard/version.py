"""The version, known also where the package is a folder in the path and not installed."""

VERSION = "0.1.0"
