"""Where results go: rows, and the Delta tables that hold them."""
