"""One check, no YAML: spark-submit jobs/expectations.py --dataset path=data/flights --suite conf/gx/flights.json."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("expectations")
