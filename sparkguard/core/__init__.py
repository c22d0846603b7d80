"""The types that everything hangs on; pure: no Spark, no clock, no files."""
