"""One check, no YAML.

spark-submit jobs/pattern.py --dataset path=data/flights --columns tailnum --pattern 'N[0-9A-Z]+'
"""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("pattern")
