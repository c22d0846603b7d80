"""One check, no YAML: spark-submit jobs/finite_values.py --dataset path=data/weather."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("finite_values")
