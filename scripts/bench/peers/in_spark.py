"""The job in Spark, local. https://spark.apache.org/docs/latest/sql-data-sources-parquet.html

Needs Java. The session's start counts as an import does: not at all, but it is in the CPU time, which is the JVM's from its start to
its end; so is the memory.
"""

import sys

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f

PAYLOAD = "STRUCT<id: INT, old_status: STRING, new_status: STRING, reason: STRING, to: INT, from: INT, amount: DECIMAL(10,2)>"
SCHEMA = f"event_id STRING, timestamp TIMESTAMP, domain STRING, event_type STRING, data {PAYLOAD}"
COLUMNS = {
    "account": ["data.id AS data_id", "data.old_status AS data_old_status", "data.new_status AS data_new_status", "data.reason AS data_reason"],
    "transaction": ["CAST(data.id AS STRING) AS data_id", "CAST(data.to AS STRING) AS data_to", "CAST(data.from AS STRING) AS data_from",
                    "data.amount AS data_amount"],
}
# As many tasks at a time as threads, and four times as many partitions of a shuffle: the default of 200 is for clusters.
THREADS = int(sys.argv[-1])
SPARK = (SparkSession.builder.master(f"local[{THREADS}]").appName("bench")
         .config("spark.sql.session.timeZone", "UTC").config("spark.ui.enabled", "false")
         .config("spark.ui.showConsoleProgress", "false").config("spark.driver.memory", "4g")
         .config("spark.sql.shuffle.partitions", 4 * THREADS)
         .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
         .config("spark.sql.parquet.compression.codec", "zstd").getOrCreate())


def load(source: str, target: str, threads: int) -> None:
    # monotonically_increasing_id() is in the order of the lines: it counts within a split of the file, and splits are in order.
    events = SPARK.read.schema(SCHEMA).json(source).withColumn("line", f.monotonically_increasing_id())
    window = Window.partitionBy("event_type", "event_id").orderBy(f.desc("timestamp"), f.desc("line"))
    latest = events.withColumn("rank", f.row_number().over(window)).where("rank = 1").persist()
    for domain, columns in COLUMNS.items():
        parts = ["year(timestamp) AS year", "month(timestamp) AS month", "day(timestamp) AS day", "event_type"]
        table = latest.where(f.col("domain") == domain).selectExpr("event_id", "timestamp", "domain", *columns, *parts)
        # Rows of a partition come together first, so that each becomes one file.
        (table.repartition("year", "month", "day", "event_type")
         .write.partitionBy("year", "month", "day", "event_type").parquet(f"{target}/{domain}"))


def end() -> None:
    """Ends the JVM and waits for it, so that what it used is counted."""
    gateway = SPARK.sparkContext._gateway
    SPARK.stop()
    gateway.proc.stdin.close()
    gateway.proc.wait()
