//! Are real events of the replaced pipeline, and generated ones, loaded as they are, in the contract's
//! schema?
//!
//! `data/sample.json` is 200 lines of what the `PySpark` pipeline's generator wrote, around a midnight, as
//! written: without a last newline.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
};

use naive_model::Flags;

use crate::support::{
    files::{assert_same_lines, tree},
    readback::{codecs_of, parquet_files, rows, schema_of, sorting_of, text_of},
    workdir::Workdir,
};

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/loader/data/sample.json")
}

#[test]
fn every_row_is_the_model_s() {
    let dir = Workdir::new();
    let outcome = dir.loader().source(sample()).arg("--backfill").succeeds();
    assert_eq!((outcome.count("lines"), outcome.count("written")), (200, 200), "{outcome}");
    let expected =
        naive_model::load(&[("sample".to_owned(), fs_err::read(sample()).unwrap())], &Flags::default());
    assert_same_lines(&text_of(&expected.rows), &text_of(&rows(&dir.target())), &outcome.to_string());
    assert_eq!(outcome.report()["unknown_fields"], serde_json::json!({}));
}

/// The model is code too; these expectations are written by hand.
#[test]
fn these_rows_stand_in_the_lines() {
    let dir = Workdir::new();
    dir.loader().source(sample()).args(["--date", "2024-10-11"]).succeeds();
    let rows = rows(&dir.target());
    assert_eq!(
        rows["2024/10/11/payment-to"][0].join(" "),
        r#""c22a0b69-8c96-46ce-be5d-c0ded69a3895" 2024-10-11T00:05:31.000000Z "transaction" "payment-to" "744085" "935241" "392501" 306.50"#
    );
    assert_eq!(
        rows["2024/10/11/status-change"][0].join(" "),
        r#""0b702da0-0bbc-41b3-b819-cf744d803843" 2024-10-11T00:01:20.000000Z "account" "status-change" 79500 "CLOSED" "PENDING" "Concern realize away push determine.""#
    );
    let counts: Vec<_> = rows.iter().map(|(partition, rows)| (partition.as_str(), rows.len())).collect();
    let expected = [
        ("2024/10/11/account-close", 13),
        ("2024/10/11/account-open", 9),
        ("2024/10/11/payment-from", 26),
        ("2024/10/11/payment-to", 16),
        ("2024/10/11/status-change", 16),
    ];
    assert_eq!(counts, expected);
}

/// The main job: what the generator writes is loaded in full.
#[test]
fn every_generated_event_is_a_row() {
    let config = datagen::Config {
        seed: 123,
        num_events: 10_000,
        start_date: datagen::DEFAULT_START_DATE,
        threads: NonZero::<usize>::MIN,
        ..datagen::Config::default()
    };
    let mut lines = Vec::new();
    datagen::generate(&config, &mut lines).unwrap();
    let dir = Workdir::new();
    let outcome = dir.loader().source("-").stdin(lines.clone()).arg("--backfill").succeeds();
    assert_eq!((outcome.count("lines"), outcome.count("written")), (10_000, 10_000), "{outcome}");
    let expected = naive_model::load(&[("-".to_owned(), lines)], &Flags::default());
    assert_same_lines(&text_of(&expected.rows), &text_of(&rows(&dir.target())), &outcome.to_string());
}

const ACCOUNT: &str = "\
message arrow_schema {
  OPTIONAL BYTE_ARRAY event_id (STRING);
  OPTIONAL INT64 timestamp (TIMESTAMP(MICROS,true));
  OPTIONAL BYTE_ARRAY domain (STRING);
  OPTIONAL BYTE_ARRAY event_type (STRING);
  OPTIONAL INT32 data_id;
  OPTIONAL BYTE_ARRAY data_old_status (STRING);
  OPTIONAL BYTE_ARRAY data_new_status (STRING);
  OPTIONAL BYTE_ARRAY data_reason (STRING);
}
";

const PAYMENT: &str = "\
message arrow_schema {
  OPTIONAL BYTE_ARRAY event_id (STRING);
  OPTIONAL INT64 timestamp (TIMESTAMP(MICROS,true));
  OPTIONAL BYTE_ARRAY domain (STRING);
  OPTIONAL BYTE_ARRAY event_type (STRING);
  OPTIONAL BYTE_ARRAY data_id (STRING);
  OPTIONAL BYTE_ARRAY data_to (STRING);
  OPTIONAL BYTE_ARRAY data_from (STRING);
  OPTIONAL INT64 data_amount (DECIMAL(10,2));
}
";

const NESTED_ACCOUNT: &str = "\
message arrow_schema {
  OPTIONAL BYTE_ARRAY event_id (STRING);
  OPTIONAL INT64 timestamp (TIMESTAMP(MICROS,true));
  OPTIONAL BYTE_ARRAY domain (STRING);
  OPTIONAL BYTE_ARRAY event_type (STRING);
  OPTIONAL group data {
    OPTIONAL INT32 id;
    OPTIONAL BYTE_ARRAY old_status (STRING);
    OPTIONAL BYTE_ARRAY new_status (STRING);
    OPTIONAL BYTE_ARRAY reason (STRING);
  }
}
";

const NESTED_PAYMENT: &str = "\
message arrow_schema {
  OPTIONAL BYTE_ARRAY event_id (STRING);
  OPTIONAL INT64 timestamp (TIMESTAMP(MICROS,true));
  OPTIONAL BYTE_ARRAY domain (STRING);
  OPTIONAL BYTE_ARRAY event_type (STRING);
  OPTIONAL group data {
    OPTIONAL BYTE_ARRAY id (STRING);
    OPTIONAL BYTE_ARRAY to (STRING);
    OPTIONAL BYTE_ARRAY from (STRING);
    OPTIONAL INT64 amount (DECIMAL(10,2));
  }
}
";

#[test]
fn the_schema_is_the_contract_s() {
    let dir = Workdir::new();
    dir.loader().source(sample()).arg("--backfill").succeeds();
    let files = parquet_files(&tree(&dir.target()));
    assert_eq!(files.len(), 10, "five types on two days: {files:?}");
    for name in files {
        let file = dir.target().join(&name);
        assert_eq!(
            schema_of(&file),
            if name.contains("payment") { PAYMENT } else { ACCOUNT },
            "schema of {name}"
        );
        assert_eq!(
            sorting_of(&file),
            [["timestamp ascending", "event_id ascending"]],
            "sorting columns of {name}"
        );
    }
    dir.loader_into("nested").source(sample()).args(["--backfill", "--flatten", "false"]).succeeds();
    for name in parquet_files(&tree(&dir.path("nested"))) {
        let file = dir.path("nested").join(&name);
        assert_eq!(
            schema_of(&file),
            if name.contains("payment") { NESTED_PAYMENT } else { NESTED_ACCOUNT },
            "schema of {name}"
        );
        assert_eq!(
            sorting_of(&file),
            [["timestamp ascending", "event_id ascending"]],
            "sorting columns of {name}"
        );
    }
    assert_eq!(rows(&dir.path("nested")), rows(&dir.target()), "nested, the values are the same");
}

#[test]
fn each_codec_is_the_one_asked_for() {
    for (codec, expected) in [("zstd", "ZSTD"), ("snappy", "SNAPPY"), ("none", "UNCOMPRESSED")] {
        let dir = Workdir::new();
        dir.loader().source(sample()).args(["--date", "2024-10-10", "--compression", codec]).succeeds();
        let file = dir.target().join(format!("2024/10/10/account-open/part-00000.{codec}.parquet"));
        let codecs = codecs_of(&file);
        // Column chunks of a few bytes are not worth compressing.
        let others = codecs.iter().filter(|other| !other.starts_with(expected) && *other != "UNCOMPRESSED");
        assert_eq!(others.count(), 0, "{codec}: {codecs:?}");
        assert!(codecs.iter().any(|codec| codec.starts_with(expected)), "{codec}: {codecs:?}");
    }
}
