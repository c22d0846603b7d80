"""One check, no YAML: jobs/label_quality.py --dataset path=data/scored --label y --score p."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("label_quality")
