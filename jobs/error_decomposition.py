"""One check, no YAML: jobs/error_decomposition.py --dataset path=data/scored --split part --sets train=a,test=b."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("error_decomposition")
