//! `catalog show --format ENGINE --target-path`: are the statements those of the engine, over the files of
//! the event type? scripts/ddl.sh runs and parses them.

use crate::support::workdir::{Outcome, Workdir};

/// Each type that a catalog has, and a name that is none of a directory.
const CATALOG: &str = r#"[types.price]
fields = { value = "decimal(12,2)", currency = "string" }

[domain.shop.events."order placed/EU"]
description = "It's an order, \"EU\" \\ elsewhere"

[domain.shop.events."order placed/EU".fields]
note   = { type = "string", description = "What's said" }
pieces = "int32"
id     = { type = "int64", column = "Order-Id" }
share  = "float64"
paid   = "boolean"
exact  = "decimal(38,2)"
most   = "decimal(38,10)"
on     = "date"
at     = "timestamp(ms)"
raw    = "json"
tags   = "list(string)"
grid   = "list(list(int32))"
labels = "map(int64)"
total  = { list = "price" }
"#;

/// The statements for the catalog's event type, with these flags.
fn statements(dir: &Workdir, flags: &[&str]) -> Outcome {
    let args = ["catalog", "show", "--catalog", "shop.toml", "-D", "shop"];
    dir.bare_loader().args(args).args(flags.iter().copied()).succeeds()
}

/// Of each layout, one after the other.
#[track_caller]
fn of_layouts(engine: &str, address: &str, flags: &[&str]) -> String {
    let dir = Workdir::new();
    dir.write("shop.toml", CATALOG);
    let of = |layout: &[&str]| {
        let flags = [&["--format", engine, "-t", address], layout, flags].concat();
        format!("-- {}\n{}", layout.join(" "), statements(&dir, &flags).stdout)
    };
    [&["--layout", "plain"], &["--layout", "hive"], &["--table", "delta"]].map(|layout| of(layout)).join("\n")
}

#[test]
fn snowflake_has_external_tables_over_a_stage() {
    insta::assert_snapshot!(of_layouts("snowflake", "@stage/lake/", &[]));
}

#[test]
fn redshift_has_external_tables_in_a_schema() {
    insta::assert_snapshot!(of_layouts("redshift", "s3://bucket/lake", &["--schema", "lake"]));
}

#[test]
fn athena_has_external_tables() {
    insta::assert_snapshot!(of_layouts("athena", "s3://bucket/lake", &["--schema", "lake"]));
}

#[test]
fn trino_has_tables_of_two_connectors() {
    insta::assert_snapshot!(of_layouts("trino", "s3://bucket/lake", &["--schema", "hive.lake"]));
}

#[test]
fn clickhouse_has_tables_over_files() {
    insta::assert_snapshot!(of_layouts("clickhouse", "s3://bucket/lake", &[]));
}

#[test]
fn duckdb_has_views() {
    insta::assert_snapshot!(of_layouts("duckdb", "lake", &[]));
}

#[test]
fn spark_has_a_view_over_plain_directories_and_tables_over_others() {
    insta::assert_snapshot!(of_layouts("spark", "/lake", &[]));
}

#[test]
fn bigquery_has_external_tables_where_one_asterisk_is_enough() {
    let dir = Workdir::new();
    dir.write("shop.toml", CATALOG);
    let flags = ["--format", "bigquery", "-t", "gs://bucket/lake", "--schema", "shop"];
    let of = |layout: &[&str]| statements(&dir, &[&flags, layout].concat()).stdout;
    insta::assert_snapshot!(format!("{}\n{}", of(&["--layout", "hive"]), of(&["--table", "delta"])));
    let plain = ["catalog", "show", "--catalog", "shop.toml", "-D", "shop"];
    let plain = dir.bare_loader().args(plain).args(flags);
    plain.exits(2).says(&["BigQuery", "one asterisk", "--load", "--layout hive", "--table delta"]);
}

/// Tables of the engine's own: made once, then the rows of a day are replaced.
#[test]
fn tables_of_its_own_are_made_and_loaded_by_day() {
    for (engine, address) in [
        ("snowflake", "@stage/lake"),
        ("bigquery", "gs://bucket/lake"),
        ("redshift", "s3://bucket/lake"),
        ("clickhouse", "s3://bucket/lake"),
    ] {
        let dir = Workdir::new();
        dir.write("shop.toml", CATALOG);
        let flags = ["--format", engine, "-t", address, "--load", "--layout", "plain"];
        let whole = statements(&dir, &flags).stdout;
        let day = statements(&dir, &[&flags[..], &["--date", "2024-10-09"]].concat()).stdout;
        insta::assert_snapshot!(format!("{engine}_load"), format!("{whole}\n-- --date 2024-10-09\n{day}"));
    }
}

/// An engine that has to be told of each day is told by day, and by hour of each hour.
#[test]
fn redshift_gets_the_partitions_of_a_day() {
    let dir = Workdir::new();
    dir.write("shop.toml", CATALOG);
    let of = |layout: &[&str]| {
        let flags = ["--format", "redshift", "-t", "s3://b/lake", "--schema", "l", "-d", "2024-10-09"];
        statements(&dir, &[&flags, layout].concat()).stdout
    };
    let beginning = r#"ALTER TABLE "l"."order_20placed_2feu" ADD IF NOT EXISTS PARTITION "#;
    for (layout, partition) in [
        (
            "plain",
            r#"("partition_day" = '2024-10-09') LOCATION 's3://b/lake/2024/10/09/order~20placed~2FEU/'"#,
        ),
        (
            "hive",
            r#"("year" = 2024, "month" = 10, "day" = 9, "event_type" = 'order placed/EU') LOCATION 's3://b/lake/year=2024/month=10/day=9/event_type=order%20placed%2FEU/'"#,
        ),
    ] {
        assert_eq!(of(&["--layout", layout]), format!("{beginning}{partition};\n"));
    }
    let hours = of(&["--table", "delta", "--partition-by", "hour"]);
    let hours: Vec<_> = hours.lines().collect();
    assert_eq!(hours.len(), 24);
    let partition = r#"("day" = '2024-10-09', "hour" = 23) LOCATION 's3://b/lake/order~20placed~2FEU/_symlink_format_manifest/day=2024-10-09/hour=23/'"#;
    assert_eq!(hours[23], format!("{beginning}{partition};"));
}

/// Flags that an engine can do nothing with are refused, and what to do instead is said.
#[test]
fn what_an_engine_cannot_have_is_refused() {
    let dir = Workdir::new();
    dir.write("shop.toml", CATALOG);
    let refused = |flags: &[&str], parts: &[&str]| {
        let show = ["catalog", "show", "--catalog", "shop.toml", "-D", "shop"];
        dir.bare_loader().args(show).args(flags.iter().copied()).exits(2).says(parts);
    };
    let s3 = "s3://bucket/lake";
    for engine in ["snowflake", "bigquery", "redshift", "athena", "trino", "clickhouse"] {
        refused(&["--format", engine], &["over the files of a target", "--target-path"]);
    }
    refused(&["--format", "snowflake", "-t", s3], &["@STAGE/path", s3, "--target-path"]);
    refused(&["--format", "bigquery", "-t", s3], &["gs://", s3]);
    refused(&["--format", "postgres", "-t", "lake"], &["PostgreSQL", "leave out --target-path"]);
    refused(&["--format", "redshift", "-t", s3], &["schema", "--schema"]);
    refused(&["--format", "trino", "-t", s3, "--table", "delta"], &["--schema"]);
    refused(&["--format", "athena", "-t", s3, "--load"], &["Athena", "leave out --load"]);
    let delta = ["-t", s3, "--table", "delta", "--load"];
    refused(&[&["--format", "redshift"], &delta[..]].concat(), &["log of a Delta table", "--load"]);
    refused(&["--format", "athena", "-t", s3, "-d", "2024-10-10"], &["needs no statement", "--date"]);
    let hours = ["-t", s3, "--load", "-d", "2024-10-10", "--partition-by", "hour"];
    refused(&[&["--format", "redshift"], &hours[..]].concat(), &["its hours", "--load"]);
    refused(&["-t", s3], &["--target-path", "--format"]);
    refused(&["--format", "arrow", "--load"], &["--load", "--format"]);

    let taken = CATALOG.replace("\"Order-Id\"", "\"Partition_Day\"");
    dir.write("shop.toml", taken);
    let plain = ["-t", s3, "--schema", "lake"];
    refused(&[&["--format", "redshift"], &plain[..]].concat(), &["Partition_Day", "`column = \"…\"`"]);
    dir.write("shop.toml", CATALOG.replace("Order-Id", &"x".repeat(100)));
    let long = ["shop.toml:10: shop/order placed/EU: data.id", "of 100 bytes", "at most 63 in PostgreSQL"];
    refused(&["--format", "postgres"], &long);
    statements(&dir, &["--format", "postgres", "-f", "false"]);
    statements(&dir, &["--format", "snowflake", "-t", "@lake"]);
}

/// Engines that know letters, digits and `_` alone would give two event types one table.
#[test]
fn two_event_types_never_have_one_table() {
    let dir = Workdir::new();
    let types = ["order-placed", "order_placed", "Order.placed", "refund"];
    let text: String = types.map(|name| format!("[domain.shop.events.\"{name}\"]\n")).concat();
    dir.write("shop.toml", text);
    for (engine, begins) in [("spark", "CREATE TABLE `"), ("athena", "CREATE EXTERNAL TABLE `")] {
        let flags: &[&str] = if engine == "athena" { &["-t", "s3://lake/x"] } else { &[] };
        let names_of = |more: &[&str]| {
            let shown = statements(&dir, &[&["--format", engine], flags, more].concat()).stdout;
            let names = shown.lines().filter_map(|line| line.strip_prefix(begins)?.split('`').next());
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        let all = names_of(&[]);
        let distinct: std::collections::BTreeSet<_> = all.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!((all.len(), distinct.len()), (4, 4), "{all:?}");
        assert_eq!(all[3], "refund");
        // The name is the same whichever types are shown.
        assert_eq!(names_of(&["-e", "order_placed"]), all[1..2], "{engine}");
    }
}
