//! Does `catalog show` show the tables that a load makes, for people and for engines?
//!
//! `scripts/engines.py` executes the statements for `DuckDB` and fills the tables.

use super::catalog;
use crate::support::workdir::Workdir;

const SHOP: &str = r#"
[domain.shop.events.order-placed]
description = "It's an order"
[domain.shop.events.order-placed.fields]
id    = { type = "int64", column = "Order", description = "The order" }
total = "decimal(12,2)"
on    = "date"
note  = "json"
sizes = { list = { list = "float64" } }
items = { list = { fields = { sku = "string", paid = "boolean", "at last" = { type = "timestamp", column = "at_last" } } } }
"#;

#[track_caller]
fn shown(format: &str) -> String {
    let dir = Workdir::new();
    dir.write("shop.toml", SHOP);
    catalog(&dir, ["show", "--catalog", "shop.toml", "-D", "shop", "--format", format]).succeeds().stdout
}

#[test]
fn tables_are_shown_for_people_and_engines() {
    insta::assert_snapshot!(shown("text"), @r#"
    shop/order-placed, in …/order-placed/
        It's an order
      event_id    string
      timestamp   timestamp
      domain      string
      event_type  string
      Order       int64  The order
      data_total  decimal(12,2)
      data_on     date
      data_note   string
      data_sizes  list(list(float64))
      data_items  list({sku: string, paid: boolean, at_last: timestamp})
    "#);
    insta::assert_snapshot!(shown("arrow"), @r#"
    shop/order-placed
      event_id: Utf8
      timestamp: Timestamp(µs, "UTC")
      domain: Utf8
      event_type: Utf8
      Order: Int64
      data_total: Decimal128(12, 2)
      data_on: Date32
      data_note: Utf8
      data_sizes: List(List(Float64, field: 'element'), field: 'element')
      data_items: List(Struct("sku": Utf8, "paid": Boolean, "at_last": Timestamp(µs, "UTC")), field: 'element')
    "#);
    insta::assert_snapshot!(shown("duckdb"), @r#"
    CREATE TABLE "order-placed" (
      event_id VARCHAR,
      "timestamp" TIMESTAMP WITH TIME ZONE,
      "domain" VARCHAR,
      event_type VARCHAR,
      "Order" BIGINT,
      data_total DECIMAL(12,2),
      data_on DATE,
      data_note VARCHAR,
      data_sizes DOUBLE[][],
      data_items STRUCT("sku" VARCHAR, "paid" BOOLEAN, "at_last" TIMESTAMP WITH TIME ZONE)[]
    );
    COMMENT ON TABLE "order-placed" IS 'It''s an order';
    COMMENT ON COLUMN "order-placed"."Order" IS 'The order';
    "#);
    insta::assert_snapshot!(shown("spark"), @r#"
    CREATE TABLE `order_placed` (
      event_id STRING,
      `timestamp` TIMESTAMP,
      `domain` STRING,
      event_type STRING,
      `Order` BIGINT COMMENT 'The order',
      data_total DECIMAL(12,2),
      data_on DATE,
      data_note STRING,
      data_sizes ARRAY<ARRAY<DOUBLE>>,
      data_items ARRAY<STRUCT<`sku`: STRING, `paid`: BOOLEAN, `at_last`: TIMESTAMP>>
    )
    USING parquet
    COMMENT 'It\'s an order';
    "#);
    insta::assert_snapshot!(shown("postgres"), @r#"
    CREATE TABLE "order-placed" (
      event_id text,
      "timestamp" timestamp with time zone,
      "domain" text,
      event_type text,
      "Order" bigint,
      data_total numeric(12,2),
      data_on date,
      data_note text,
      data_sizes jsonb,
      data_items jsonb
    );
    COMMENT ON TABLE "order-placed" IS 'It''s an order';
    COMMENT ON COLUMN "order-placed"."Order" IS 'The order';
    "#);
}

/// A map is one column, a type with a name is what its fields are, and an epoch is a timestamp.
#[test]
fn maps_types_with_names_and_epochs_are_shown_as_columns() {
    let dir = Workdir::new();
    let text = "[types.price]\nfields = { value = 'decimal(6,2)', at = 'timestamp(ms)' }\n[domain.shop.events.sale.fields]\n\
                labels = 'map(string)'\nprices = { type = 'map(list(price))', description = 'By currency' }\n\
                total = 'price'\nrows = 'list(map(int32))'\n";
    dir.write("shop.toml", text);
    let shown = |format: &str, flags: &[&str]| {
        let args = ["show", "--catalog", "shop.toml", "-D", "shop", "--format", format];
        dir.bare_loader().arg("catalog").args(args.iter().chain(flags)).succeeds().stdout
    };
    insta::assert_snapshot!(shown("text", &[]), @r"
    shop/sale, in …/sale/
      event_id          string
      timestamp         timestamp
      domain            string
      event_type        string
      data_labels       map(string)
      data_prices       map(list({value: decimal(6,2), at: timestamp}))  By currency
      data_total_value  decimal(6,2)
      data_total_at     timestamp
      data_rows         list(map(int32))
    ");
    insta::assert_snapshot!(shown("arrow", &["-f", "false"]), @r#"
    shop/sale
      event_id: Utf8
      timestamp: Timestamp(µs, "UTC")
      domain: Utf8
      event_type: Utf8
      data: Struct("labels": Map("key_value": non-null Struct("key": non-null Utf8, "value": Utf8), unsorted), "prices": Map("key_value": non-null Struct("key": non-null Utf8, "value": List(Struct("value": Decimal128(6, 2), "at": Timestamp(µs, "UTC")), field: 'element')), unsorted), "total": Struct("value": Decimal128(6, 2), "at": Timestamp(µs, "UTC")), "rows": List(Map("key_value": non-null Struct("key": non-null Utf8, "value": Int32), unsorted), field: 'element'))
    "#);
    insta::assert_snapshot!(shown("duckdb", &[]), @r#"
    CREATE TABLE "sale" (
      event_id VARCHAR,
      "timestamp" TIMESTAMP WITH TIME ZONE,
      "domain" VARCHAR,
      event_type VARCHAR,
      data_labels MAP(VARCHAR, VARCHAR),
      data_prices MAP(VARCHAR, STRUCT("value" DECIMAL(6,2), "at" TIMESTAMP WITH TIME ZONE)[]),
      data_total_value DECIMAL(6,2),
      data_total_at TIMESTAMP WITH TIME ZONE,
      data_rows MAP(VARCHAR, INTEGER)[]
    );
    COMMENT ON COLUMN "sale".data_prices IS 'By currency';
    "#);
    insta::assert_snapshot!(shown("spark", &[]), @r"
    CREATE TABLE `sale` (
      event_id STRING,
      `timestamp` TIMESTAMP,
      `domain` STRING,
      event_type STRING,
      data_labels MAP<STRING, STRING>,
      data_prices MAP<STRING, ARRAY<STRUCT<`value`: DECIMAL(6,2), `at`: TIMESTAMP>>> COMMENT 'By currency',
      data_total_value DECIMAL(6,2),
      data_total_at TIMESTAMP,
      data_rows ARRAY<MAP<STRING, INT>>
    )
    USING parquet;
    ");
    insta::assert_snapshot!(shown("postgres", &[]), @r#"
    CREATE TABLE "sale" (
      event_id text,
      "timestamp" timestamp with time zone,
      "domain" text,
      event_type text,
      data_labels jsonb,
      data_prices jsonb,
      data_total_value numeric(6,2),
      data_total_at timestamp with time zone,
      data_rows jsonb
    );
    COMMENT ON COLUMN "sale".data_prices IS 'By currency';
    "#);
}

/// Engines make columns of its directories, and Spark has to be told.
#[test]
fn tables_of_the_hive_layout_have_the_columns_of_the_directories() {
    let dir = Workdir::new();
    let text = "[domain.shop.events.order-placed]\ndescription = 'It is'\n[domain.shop.events.order-placed.fields]\nid = 'int64'\n";
    dir.write("shop.toml", text);
    let shown = |format: &str, flags: &[&str]| {
        let args = ["show", "--catalog", "shop.toml", "-D", "shop", "--layout", "hive", "--format", format];
        dir.bare_loader().arg("catalog").args(args.iter().chain(flags)).succeeds().stdout
    };
    insta::assert_snapshot!(shown("spark", &[]), @r#"
    CREATE TABLE `order_placed` (
      event_id STRING,
      `timestamp` TIMESTAMP,
      `domain` STRING,
      data_id BIGINT,
      `year` INT,
      `month` INT,
      `day` INT,
      event_type STRING
    )
    USING parquet
    PARTITIONED BY (`year`, `month`, `day`, event_type)
    COMMENT 'It is';
    "#);
    insta::assert_snapshot!(shown("duckdb", &["--partition-by", "hour", "-f", "false"]), @r#"
    CREATE TABLE "order-placed" (
      event_id VARCHAR,
      "timestamp" TIMESTAMP WITH TIME ZONE,
      "domain" VARCHAR,
      "data" STRUCT("id" BIGINT),
      "year" INTEGER,
      "month" INTEGER,
      "day" INTEGER,
      "hour" INTEGER,
      event_type VARCHAR
    );
    COMMENT ON TABLE "order-placed" IS 'It is';
    "#);
    insta::assert_snapshot!(shown("text", &[]), @r"
    shop/order-placed, in …/event_type=order-placed/
        It is
      event_id    string
      timestamp   timestamp
      domain      string
      data_id     int64
      year        int32
      month       int32
      day         int32
      event_type  string
    ");
    assert!(
        shown("postgres", &[]).contains("\n  data_id bigint,\n  \"year\" integer,\n  \"month\" integer,\n")
    );
}
