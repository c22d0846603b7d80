"""One check, no YAML: spark-submit jobs/join_reconciliation.py --before path=A --after path=B --key id."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("join_reconciliation")
