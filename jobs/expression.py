"""One check, no YAML: spark-submit jobs/expression.py --dataset path=data/flights --expression 'distance > 0'."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("expression")
