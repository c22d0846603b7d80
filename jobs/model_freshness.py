"""One check, no YAML: spark-submit jobs/model_freshness.py --card models/flights.json --keys version=model.version."""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("model_freshness")
