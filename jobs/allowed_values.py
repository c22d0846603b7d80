"""One check, no YAML.

spark-submit jobs/allowed_values.py --dataset path=data/flights --columns origin --values EWR,JFK,LGA
"""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("allowed_values")
