//! Bytes and sums, compared with ones made by hand; manifests, written and read back, or refused.

use std::io;

use proptest::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::*;
use crate::catalog::{BUILT_IN, Catalog, LEDGER};

/// The digest of a row with these texts; `None` is null.
fn digest_of(texts: &[Option<&str>]) -> u128 {
    let mut bytes = Vec::new();
    for text in texts {
        match text {
            None => bytes.push(0),
            Some(text) => {
                bytes.push(1);
                bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
                bytes.extend(text.bytes());
            }
        }
    }
    xxh3_128(&bytes)
}

#[test]
fn a_row_s_digest_is_that_of_its_texts() {
    let mut row = RowDigest::default();
    let expected = [
        Some("an id, ü"),
        Some("1728518400123456"),
        None,
        Some(""),
        Some("-2147483648"),
        Some("-0.05"),
        Some("12.300"),
        Some("1230"),
        Some("2024-02-29"),
        Some("true"),
        Some("false"),
        Some("in pieces"),
    ];
    for _ in 0..2 {
        row.text("an id, ü".as_bytes());
        row.timestamp(1_728_518_400_123_456);
        row.null();
        row.text(b"");
        row.integer(i32::MIN.into());
        row.decimal(-5, 2);
        row.decimal(12_300, 3);
        row.decimal(1_230, 0);
        row.date(19_782);
        row.boolean(true);
        row.boolean(false);
        row.text_of(|text| {
            text.extend(b"in ");
            text.extend(b"pieces");
        });
        assert_eq!(row.finish(), digest_of(&expected));
    }
    assert_eq!(row.finish(), xxh3_128(b""), "a row of no columns");
}

proptest! {
    #[test]
    fn a_decimal_has_all_digits_of_its_scale(unscaled: i128, cut in 0_u32..39, scale in 0_u8..=38) {
        let unscaled = unscaled / 10_i128.pow(cut.min(38));
        let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = usize::from(scale) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
        let point = if scale == 0 { "" } else { "." };
        let sign = if unscaled < 0 { "-" } else { "" };
        prop_assert_eq!(decimal_text(unscaled, scale), format!("{sign}{whole}{point}{fraction}"));
    }
}

#[test]
fn decimals_at_the_edges_have_all_digits() {
    for number in [0, 9, 10, 99, 100, 10_i128.pow(18), u64::MAX.into(), i128::MAX, i128::MIN] {
        assert_eq!(decimal_text(number, 0), number.to_string());
    }
    assert_eq!(decimal_text(i128::from(u64::MAX) + 1, 2), "184467440737095516.16");
    assert_eq!(decimal_text(10_i128.pow(36), 36), format!("1.{:036}", 0));
    assert_eq!(decimal_text(0, 3), "0.000");
}

#[test]
fn a_checksum_is_a_sum_and_is_read_back() {
    let mut checksum = Checksum::default();
    assert_eq!(checksum.to_string(), "0".repeat(32));
    checksum.add(u128::MAX);
    assert_eq!(checksum.to_string(), "f".repeat(32));
    let mut other = checksum;
    other.add(0xAB);
    assert_eq!(other.to_string(), format!("{:032x}", 0xAA));
    checksum.add_all(other);
    assert_eq!(checksum.to_string().parse(), Ok(checksum));
    for text in ["", "0", &"0".repeat(33), &"F".repeat(32), &format!("+{}", "0".repeat(31)), &"ü".repeat(16)]
    {
        assert!(text.parse::<Checksum>().is_err(), "{text:?}");
    }
}

#[test]
fn a_table_sums_its_decimals_and_floats_and_lists_have_no_digest() {
    let ledger = Catalog::from_toml(&[("ledger.toml", LEDGER)]).unwrap();
    let payment = EventTypeTruth::of(ledger.event_types().last().unwrap()).unwrap();
    assert_eq!(payment.sums, ["data_amount", "data_balance"]);
    assert_eq!(payment.columns.len(), 15);
    assert_eq!(payment.columns[..5], ["event_id", "timestamp", "domain", "event_type", "data_id"]);
    for field in ["x = 'float64'", "x = { fields = { y = 'list(int32)' } }"] {
        let catalog = format!("[domain.a.events.b.fields]\n{field}");
        let catalog = Catalog::from_toml(&[("x.toml", &catalog)]).unwrap();
        assert_eq!(EventTypeTruth::of(&catalog.event_types()[0]), None, "{field}");
    }
}

fn partition(day: &str, event_type: &str, sums: &[&str]) -> PartitionTruth {
    let mut checksum = Checksum::default();
    checksum.add(digest_of(&[Some(day)]));
    PartitionTruth {
        day: Day::parse(day).unwrap(),
        domain: BUILT_IN.event_types().iter().find(|t| t.name == event_type).unwrap().domain.clone(),
        event_type: event_type.to_owned(),
        rows: 3,
        checksum,
        sums: sums.iter().copied().map(str::to_owned).collect(),
    }
}

fn manifest() -> Manifest {
    Manifest {
        format: FORMAT,
        generator: Generator {
            version: "0.1.0".to_owned(),
            stream_version: 1,
            world: "simple".to_owned(),
            envelope: Some("stripe".to_owned()),
            seed: u64::MAX,
            start_date: Day::parse("2024-10-10").unwrap(),
            events_per_day: Some(1_440),
            first_event: 7,
            num_events: 9,
            changes: None,
            faults: "duplicates=1,late=10%".to_owned(),
        },
        faults: Counts::from([("duplicates".to_owned(), 1), ("late".to_owned(), 1)]),
        report: Report {
            lines: 10,
            superseded: 1,
            redelivered: 1,
            written: 9,
            quarantined: Quarantined { total: 0, by_reason: Counts::from([("\"odd\"".to_owned(), 0)]) },
            ..Report::default()
        },
        event_types: BUILT_IN.event_types().iter().map(|t| EventTypeTruth::of(t).unwrap()).collect(),
        partitions: vec![
            partition("2024-10-10", "account-open", &[]),
            partition("2024-10-10", "payment-to", &["12.30"]),
            partition("2024-10-11", "account-open", &[]),
        ],
    }
}

fn written(manifest: &Manifest) -> io::Result<String> {
    let mut writer = ManifestWriter::begin(Vec::new(), &manifest.generator, &manifest.event_types)?;
    for partition in &manifest.partitions {
        writer.partition(partition.clone())?;
    }
    let bytes = writer.finish(&manifest.faults, &manifest.report)?;
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn what_was_written_is_read_back() {
    let manifest = manifest();
    let text = written(&manifest).unwrap();
    assert_eq!(Manifest::read(text.as_bytes()).unwrap(), manifest);
    assert_eq!(text.lines().filter(|line| line.starts_with("{\"day\"")).count(), 3, "{text}");
    let report = Report::default();
    let empty = Manifest { report, event_types: Vec::new(), partitions: Vec::new(), ..manifest };
    assert_eq!(Manifest::read(written(&empty).unwrap().as_bytes()).unwrap(), empty);
    // The order of keys is the writer's own.
    let other_order = serde_json::to_string(&empty).unwrap();
    assert_eq!(Manifest::read(other_order.as_bytes()).unwrap(), empty);
}

#[test]
fn the_manifest_of_the_documentation_is_one() {
    let page = include_str!("../../../../docs/manifest.md");
    let (_, example) = page.split_once("```json\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let manifest = Manifest::read(example.as_bytes()).unwrap();
    // The page has spaces for its readers.
    assert_eq!(written(&manifest).unwrap().replace(' ', ""), example.replace(' ', ""), "as it is written");
}

#[test]
fn partitions_that_are_not_in_order_are_not_written() {
    for (first, second) in [(0, 0), (1, 0), (2, 1)] {
        let mut manifest = manifest();
        manifest.partitions = vec![manifest.partitions[first].clone(), manifest.partitions[second].clone()];
        let error = written(&manifest).unwrap_err();
        assert!(error.to_string().contains("out of order"), "{error}");
    }
}

#[test]
fn a_manifest_that_is_none_is_refused_with_the_place() {
    let text = written(&manifest()).unwrap();
    let checksum = manifest().partitions[0].checksum.to_string();
    for (from, to, expected) in [
        ("\"format\": 1", "\"format\": 2", "line 2: expected a manifest of format 1, found 2"),
        ("\"format\": 1", "\"format\": 1, \"colour\": 3", "line 2: unknown field `colour`"),
        ("\"format\": 1,", "", "missing field `format`"),
        ("\"seed\":18446744073709551615", "\"seed\":-1", "line 3: invalid value"),
        ("\"late\":1", "\"late\":1.5", "invalid type"),
        ("2024-10-11", "2024-10-32", "line 14: expected a date like"),
        (&checksum, "12", "line 12: expected a checksum, 32 lower-case hex digits"),
        ("2024-10-11", "2024-10-09", "partition 2024-10-09 account/account-open: is out of order"),
        ("\"12.30\"", "", "partition 2024-10-10 transaction/payment-to: expected 1 sums"),
        ("\"rows\":3", "\"rows\":0", "partition 2024-10-10 account/account-open: has no rows"),
        (
            "\"sums\":[\"data_amount\"]",
            "\"sums\":[\"amount\"]",
            "event type transaction/payment-to: sums \"amount\"",
        ),
        ("\"event_type\":\"account-close\"", "\"event_type\":\"account-open\"", "account-open: occurs twice"),
        (
            "\"domain\":\"account\",\"event_type\":\"account-open\",\"rows\"",
            "\"domain\":\"account\",\"event_type\":\"shut\",\"rows\"",
            "partition 2024-10-10 account/shut: has an event type that is not in event_types",
        ),
        (
            "\"blank\":0",
            "\"blank\":1",
            "report: lines is 10, but blank, quarantined, filtered, superseded and written are 11",
        ),
        ("odd\\\"\":0", "odd\\\"\":1", "report: quarantined.total is 0, but by_reason has 1"),
        (
            "\"corrected\":0",
            "\"corrected\":1",
            "report: superseded is 1, but redelivered and corrected are 2",
        ),
        ("\"rows\":3", "\"rows\":4", "report: written is 9, but the partitions have 10"),
        ("\n}\n", "", "line 17: EOF while parsing"),
    ] {
        assert!(text.contains(from), "{from} in {text}");
        let error = Manifest::read(text.replacen(from, to, 1).as_bytes()).expect_err(to).to_string();
        assert!(error.contains(expected), "{from} to {to}: expected {expected:?}, found {error:?}");
    }
}
