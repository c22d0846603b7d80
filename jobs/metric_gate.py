"""One check, no YAML: spark-submit jobs/metric_gate.py --dataset path=data/scored --label late --score p."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("metric_gate")
