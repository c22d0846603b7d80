"""One check, no YAML: jobs/slice_errors.py --dataset path=data/scored --label y --score p --metric log_loss."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("slice_errors")
