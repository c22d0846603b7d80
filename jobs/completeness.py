"""One check, no YAML: spark-submit jobs/completeness.py --dataset path=data/flights --columns tailnum."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("completeness")
