"""Fetch Delta's jars once into the local Ivy cache, and tell the checkout's Spark where they are.

Listing the jars in spark-defaults.conf spares each later start Ivy's resolution, and the network.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pyspark

PRINT_JARS = """
from pyspark.sql import SparkSession
print('JARS=' + SparkSession.builder.getOrCreate().conf.get('spark.jars'))
"""
LOG4J = """# Written by `make setup` for this checkout: errors only, on standard error.
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
"""
HEADER = "# Written by `make setup` for this checkout: Delta's jars, fetched once. Any other setting is yours."


def resolve(package: str) -> list[Path]:
    """Let spark-submit resolve the package; the local paths of what Spark does not ship itself."""
    scripts = Path(sys.executable).parent
    with TemporaryDirectory() as scratch:
        main = Path(scratch, "print_jars.py")
        main.write_text(PRINT_JARS, encoding="utf-8")
        command = [str(scripts / "spark-submit"), "--master", "local[1]", "--packages", package, str(main)]
        # spark-submit finds its own home by the first python3 in the path.
        own = {k: v for k, v in os.environ.items() if k not in ("SPARK_HOME", "SPARK_CONF_DIR")}
        environment = {**own, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own Spark
    line = next((one for one in done.stdout.splitlines() if one.startswith("JARS=")), None)
    if line is None:
        sys.exit(f"Delta's jars ({package}) could not be fetched:\n{done.stderr[-3000:]}")
    return [Path(uri.removeprefix("file://")) for uri in line.removeprefix("JARS=").split(",")]


def needed(jars: list[Path]) -> list[Path]:
    """Leave out what Spark ships in its own version (Ivy names a jar organisation_artifact-version)."""
    shipped = {jar.name.rsplit("-", 1)[0] for jar in (Path(pyspark.__file__).parent / "jars").iterdir()}
    return [jar for jar in jars if jar.name.partition("_")[2].rsplit("-", 1)[0] not in shipped]


def main() -> None:
    """Write conf/spark-defaults.conf inside the environment's pyspark, where Spark looks first."""
    jars = ",".join(str(jar) for jar in needed(resolve(sys.argv[1])))
    target = Path(pyspark.__file__).parent / "conf" / "spark-defaults.conf"
    target.parent.mkdir(exist_ok=True)
    (target.parent / "log4j2.properties").write_text(LOG4J, encoding="utf-8")
    target.write_text(f"{HEADER}\nspark.jars {jars}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
