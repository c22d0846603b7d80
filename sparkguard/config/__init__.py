"""From YAML to a validated suite, with the place of every mistake."""
