"""One check, no YAML: spark-submit jobs/row_count.py --dataset path=data/flights --error-if 'rows: < 300000'."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("row_count")
