"""One check, no YAML; an upstream's dataset is given in its place, as YAML.

spark-submit jobs/upstream_ready.py --window end=2013-11-04,length=1d --wait timeout=30m,poll=60s \
  --upstreams '[{commit: {path: data/weather, time_column: time_hour}}, {marker: "landing/ds=${date}/_SUCCESS"}]'
"""

from sparkguard.cli import check_main

if __name__ == "__main__":
    check_main("upstream_ready")
