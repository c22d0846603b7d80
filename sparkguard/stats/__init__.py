"""Statistics on arrays: no Spark, no clock, no files, and nothing of checks."""
