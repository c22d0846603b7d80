"""One check, no YAML: spark-submit jobs/profile.py --dataset path=data/weather --key origin,time_hour."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("profile")
