"""One check, no YAML: spark-submit jobs/freshness.py --dataset path=data/flights,time_column=time_hour."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("freshness")
