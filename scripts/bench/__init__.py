"""Measures eventloader beside DuckDB, Polars, ClickHouse and Spark, and datagen beside tpchgen-cli; scripts/bench.sh starts it.

data.py makes the input, peers/ are the same job in other engines, measure.py runs a process, compare.py holds results against
each other, workloads.py says what is run, report.py writes the tables.
"""
