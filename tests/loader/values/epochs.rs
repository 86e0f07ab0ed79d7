//! Is a number of seconds, milliseconds, microseconds or nanoseconds the instant that it says, and nothing
//! else one?

use serde_json::json;

use crate::support::{
    events::file_of,
    readback::{details, rows, schema_of},
    workdir::Workdir,
};

const CATALOG: &str = "[domain.shop.events.sale.fields]\n\
    s = 'timestamp(s)'\nms = 'timestamp(ms)'\nus = 'timestamp(us)'\nns = 'timestamp(ns)'\nl = 'list(timestamp(ms))'\n\
    o = { fields = { at = { type = 'timestamp(s)', required = true } } }";

fn load(payloads: &[&str]) -> (Workdir, serde_json::Value) {
    let dir = Workdir::new();
    let sale = |(index, data): (usize, &&str)| {
        format!(
            r#"{{"event_id": "e{index:02}", "timestamp": "2025-01-01", "domain": "shop", "event_type": "sale", "data": {data}}}"#
        )
    };
    let source = dir.write("in.json", file_of(payloads.iter().enumerate().map(sale)));
    dir.write("shop.toml", CATALOG);
    let outcome = dir.loader().source(source).args(["-b", "--catalog", "shop.toml"]).succeeds();
    let report = outcome.report().clone();
    (dir, report)
}

#[test]
fn epochs_are_instants_of_the_unit_that_the_catalog_says() {
    let (dir, report) = load(&[
        r#"{"s": 1728518407, "ms": 1728518407123, "us": 1728518407123456, "ns": 1728518407123456000, "o": {"at": 0}}"#,
        r#"{"s": "1728518407", "ms": 1.728518407123e12, "us": 1728518407123456.0, "ns": "1728518407123456789", "o": {"at": -1}}"#,
        r#"{"s": 1728518407.1234567, "ms": -0.5, "us": -0.5, "ns": -1, "l": [1, null, "2"], "o": {"at": 1e0}}"#,
        r#"{"s": -62135596800, "ms": 253402300799999, "us": 253402300799999999, "ns": 253402300799999999999, "l": [], "o": {"at": "-0"}}"#,
        r#"{"s": null, "l": null, "o": {"at": 1}}"#,
    ]);
    let rows: Vec<_> = rows(&dir.target()).into_values().flatten().map(|row| row[4..].join(" ")).collect();
    let epoch = "1970-01-01T00:00";
    assert_eq!(
        rows,
        [
            format!(
                "2024-10-10T00:00:07.000000Z 2024-10-10T00:00:07.123000Z 2024-10-10T00:00:07.123456Z \
                 2024-10-10T00:00:07.123456Z null {epoch}:00.000000Z"
            ),
            "2024-10-10T00:00:07.000000Z 2024-10-10T00:00:07.123000Z 2024-10-10T00:00:07.123456Z \
             2024-10-10T00:00:07.123456Z null 1969-12-31T23:59:59.000000Z"
                .to_owned(),
            format!(
                "2024-10-10T00:00:07.123456Z 1969-12-31T23:59:59.999500Z 1969-12-31T23:59:59.999999Z \
                 1969-12-31T23:59:59.999999Z [{epoch}:00.001000Z, null, {epoch}:00.002000Z] {epoch}:01.000000Z"
            ),
            format!(
                "0001-01-01T00:00:00.000000Z 9999-12-31T23:59:59.999000Z 9999-12-31T23:59:59.999999Z \
                 9999-12-31T23:59:59.999999Z [] {epoch}:00.000000Z"
            ),
            format!("null null null null null {epoch}:01.000000Z"),
        ]
    );
    assert_eq!(report["coerced"], json!({"data.s": 1, "data.ns": 1, "data.l": 1, "data.o.at": 1}));
    assert_eq!(report["rounded"], json!({"data.s": 1, "data.us": 1, "data.ns": 3}));
    let schema = schema_of(&dir.target().join("2025/01/01/sale/part-00000.zstd.parquet"));
    assert!(schema.contains("  OPTIONAL INT64 data_ns (TIMESTAMP(MICROS,true));\n"), "{schema}");
}

#[test]
fn everything_else_is_a_bad_line() {
    let (dir, _) = load(&[
        r#"{"o": {"at": 1}}"#,
        r#"{"s": "2024-10-10T00:00:07Z"}"#,
        r#"{"s": ""}"#,
        r#"{"ms": " 1"}"#,
        r#"{"us": "0x10"}"#,
        r#"{"ns": true}"#,
        r#"{"s": {"$date": 1}}"#,
        r#"{"s": 253402300800}"#,
        r#"{"s": 1728518407123}"#,
        r#"{"ms": -62135596800000.1}"#,
        r#"{"ns": "99999999999999999999999999999"}"#,
        r#"{"l": [1, 1e300]}"#,
        r#"{"o": {"at": null}}"#,
    ]);
    let expected = |unit: &str| format!("expected a number of {unit} since 1970, of the years 0001 to 9999");
    let [s, ms, us, ns] = ["seconds", "milliseconds", "microseconds", "nanoseconds"].map(expected);
    let of_line = [
        format!("type_mismatch data.s: {s}, found \"2024-10-10T00:00:07Z\""),
        format!("type_mismatch data.s: {s}, found \"\""),
        format!("type_mismatch data.ms: {ms}, found \" 1\""),
        format!("type_mismatch data.us: {us}, found \"0x10\""),
        format!("type_mismatch data.ns: {ns}, found true"),
        format!("type_mismatch data.s: {s}, found {{\"$date\": 1}}"),
        format!("out_of_range data.s: {s}, found 253402300800"),
        format!("out_of_range data.s: {s}, found 1728518407123"),
        format!("out_of_range data.ms: {ms}, found -62135596800000.1"),
        format!("out_of_range data.ns: {ns}, found \"99999999999999999999999999999\""),
        format!("out_of_range data.l[1]: {ms}, found 1e300"),
        "type_mismatch data.o.at: expected a value (required), found null".to_owned(),
    ];
    // The column `o.at` is required: whatever lacks it is bad, too, but for an earlier reason.
    assert_eq!(details(&dir.target()), of_line);
}
