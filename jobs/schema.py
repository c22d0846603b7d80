"""One check, no YAML: spark-submit jobs/schema.py --dataset path=data/weather --columns origin=string,temp=double."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("schema")
