"""One check, no YAML.

spark-submit jobs/array_length.py --dataset path=data/embeddings --columns vector --length 128
"""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("array_length")
