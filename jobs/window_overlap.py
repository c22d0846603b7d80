"""One check, no YAML.

spark-submit jobs/window_overlap.py --dataset path=data/flights,time_column=time_hour --window end=2013-11-04,length=7d
--training path=data/training,time_column=time_hour --gap 1d
"""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("window_overlap")
