"""The command line: `sparkguard …`, and the mains under `jobs/`."""

from sparkguard.cli.commands import main, run_main
from sparkguard.cli.single import check_main

__all__ = ["check_main", "main", "run_main"]
