"""One check, no YAML: spark-submit jobs/column_profile.py --dataset path=data/flights."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("column_profile")
