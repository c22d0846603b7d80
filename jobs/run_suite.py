"""Run a suite: spark-submit jobs/run_suite.py --config conf/flights.yaml --date 2013-11-04."""

from sparkguard.cli import run_main

if __name__ == "__main__":
    run_main()
