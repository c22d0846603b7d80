"""Questions about data, a family to a file: what is asked, the answer, and its oracle in plain Python."""
