"""One check, no YAML: spark-submit jobs/normalized.py --dataset path=data/inputs --columns like=f_*."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("normalized")
