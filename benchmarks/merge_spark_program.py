"""Spark's side of `benchmarks.merge_spark`: a table of the given files, then a MERGE of each file of changes."""

import json
import sys
import time


def session(home, jars):
    from pyspark.sql import SparkSession

    settings = {
        "spark.jars": jars,
        "spark.ui.enabled": "false",
        "spark.driver.memory": "4g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.session.timeZone": "UTC",
        "spark.local.dir": home + "/spark",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "hadoop",
        "spark.sql.catalog.lake.warehouse": home + "/lake",
    }
    builder = SparkSession.builder.master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def main():
    job = json.loads(sys.argv[1])
    spark = session(job["home"], job["jars"])
    columns = "id, part, quantity, price, shipped, mode, comment"
    spark.read.parquet(*job["files"]).createOrReplaceTempView("rows")
    spark.sql(f"CREATE TABLE lake.bench.lines USING iceberg AS SELECT {columns} FROM rows")
    seconds = []
    for path in job["changes"]:
        spark.read.parquet(path).createOrReplaceTempView("news")
        started = time.monotonic()
        spark.sql("MERGE INTO lake.bench.lines t USING news n ON t.id = n.id "
                  "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")  # fmt: skip
        seconds.append(time.monotonic() - started)
    print(json.dumps(seconds))


main()
