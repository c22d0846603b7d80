"""One check, no YAML: spark-submit jobs/referential_integrity.py --dataset path=A --key id --references path=B."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("referential_integrity")
