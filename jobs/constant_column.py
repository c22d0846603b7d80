"""One check, no YAML: spark-submit jobs/constant_column.py --dataset path=data/flights --columns like=*."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("constant_column")
