"""One check, no YAML: spark-submit jobs/label_leakage.py --dataset path=data/flights --label cancelled."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("label_leakage")
