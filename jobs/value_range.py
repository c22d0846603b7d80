"""One check, no YAML.

spark-submit jobs/value_range.py --dataset path=data/flights --columns dep_delay --min -60 --max 300
"""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("value_range")
