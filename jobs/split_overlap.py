"""One check, no YAML.

spark-submit jobs/split_overlap.py --dataset path=data/features --split part --splits train,validation,test --key id
"""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("split_overlap")
