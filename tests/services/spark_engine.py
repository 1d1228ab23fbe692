"""Spark's process: tables are Iceberg tables given by their `metadata.json`, of which `#partitions` etc. are tables."""

from functools import cache

from engine_loop import serve

# A process that answers a few hundred small questions: its classes are not verified, its code is compiled quickly.
JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"


@cache
def started(jars):
    from pyspark.sql import SparkSession

    settings = {
        "spark.jars": jars,
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": JVM,
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
    }
    builder = SparkSession.builder.master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def answer(job):
    session = started(job["jars"])
    for name, location in job["tables"].items():
        session.read.format("iceberg").load(location).createOrReplaceTempView(name)
    for text in job["statements"]:
        yield [tuple(row) for row in session.sql(text).collect()]


serve(answer)
