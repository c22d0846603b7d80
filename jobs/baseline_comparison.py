"""One check, no YAML: jobs/baseline_comparison.py --dataset path=data/scored --label y --prediction p --metric f1."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("baseline_comparison")
