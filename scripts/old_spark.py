"""Reads files of eventloader with an old Spark: those with basic encodings by its defaults, row by row as pyarrow reads the
same events from compact ones; those with compact encodings only without its vectorized reader.

Usage: old_spark.py DIRECTORY_OF_THE_TARGETS (`compact`, `basic zstd` and `hive`, as readers.py leaves them)
"""

import pathlib
import sys

import pyspark
from pyspark.sql import SparkSession, functions

WORK = pathlib.Path(sys.argv[1]).resolve()


def rows_of(spark, target, directory):
    """The number of rows, and a checksum of all their values."""
    table = spark.read.parquet(f"{WORK / target}/2024/*/*/{directory}")
    return table.select(functions.count("*"), functions.sum(functions.xxhash64(*sorted(table.columns)).cast("decimal(38,0)"))).first()


def main():
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    print(f"Spark {pyspark.__version__}")
    failed = 0
    for directory in "sale", "visit":
        try:
            found = rows_of(spark, "compact", directory)
            print(f"note   compact: {directory}: read by the defaults, {found[0]} rows")
        except Exception as error:
            cause = next((line for line in str(error).splitlines() if "ncoding" in line), str(error).splitlines()[0])
            print(f"note   compact: {directory}: not read by the defaults: {cause.strip()[:160]}")
        spark.conf.set("spark.sql.parquet.enableVectorizedReader", "false")
        expected = rows_of(spark, "compact", directory)
        spark.conf.set("spark.sql.parquet.enableVectorizedReader", "true")
        found = rows_of(spark, "basic zstd", directory)
        is_equal = found == expected and found[0] > 0
        failed += not is_equal
        print(f"{'ok    ' if is_equal else 'FAILED'} basic: {directory}: {found[0]} rows by the defaults, the values of {expected[0]} rows of compact files")
    spark.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
