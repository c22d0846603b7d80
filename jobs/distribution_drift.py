"""One check, no YAML.

spark-submit jobs/distribution_drift.py --dataset path=data/flights,time_column=time_hour
--window end=2013-11-04,length=7d --reference-window end=2013-10-28,length=300d
"""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("distribution_drift")
