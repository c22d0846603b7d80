"""One check, no YAML: jobs/scenario_tests.py --dataset path=data/scored --label late --files conf/scenarios/*.yaml."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("scenario_tests")
