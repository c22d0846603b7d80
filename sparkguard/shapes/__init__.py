"""What check types of one shape share, so that a type is only what is its own."""
