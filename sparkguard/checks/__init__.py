"""The check types, one to a file; the file is named as the type is in YAML."""
