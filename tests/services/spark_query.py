"""Runs in a process of its own: JSON job on stdin, JSON rows on the last line of stdout."""

import datetime
import decimal
import json
import sys


def plain(value):
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    return str(value) if isinstance(value, decimal.Decimal) else value


def main():
    from pyspark.sql import SparkSession

    job = json.load(sys.stdin)
    settings = {
        "spark.jars": ",".join(job["jars"]),
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
    }
    builder = SparkSession.builder.master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    try:
        for name, location in job["tables"].items():
            session.read.format("iceberg").load(location).createOrReplaceTempView(name)
        found = [[plain(list(row)) for row in session.sql(text).collect()] for text in job["statements"]]
    finally:
        session.stop()
    print(json.dumps(found))


main()
