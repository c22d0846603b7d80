"""One check, no YAML: spark-submit jobs/model_freshness.py --dataset path=data/scored --version-column model_version --trained-at-column trained_at --card models/flights.json."""  # noqa: E501 - a command is one line

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("model_freshness")
