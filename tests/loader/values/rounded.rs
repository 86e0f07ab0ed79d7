//! Does the report count what a column changes of a value, and nothing else?

use serde_json::json;

use crate::support::{
    events::{account_open, event, file_of},
    readback::{rows, text_of},
    workdir::Workdir,
};

const FLOATS: &str = "[domain.account.events.account-open.fields]\nf = 'float64'\nq = 'list(float64)'";

/// A float is what it says if that is the float itself, or its shortest text.
#[test]
fn a_float_with_other_digits_than_given_is_counted() {
    let payloads = [
        r#"{"f": 0.1, "q": [0.30000000000000004, -0.0, 0.000, 1e22, 5e-324, 24.519456]}"#,
        r#"{"f": 9007199254740992, "q": [36893488147419103232, 0.1000000000000000055511151231257827021181583404541015625]}"#,
        r#"{"f": "0.8444218515250481", "q": []}"#,
        r#"{"f": 9007199254740993, "q": [1, 9223372036854775807, 18446744073709551615]}"#,
        r#"{"f": "0.1234567890123456789", "q": [0.10000000000000001, null]}"#,
        r#"{"f": 1e-400}"#,
        r#"{"f": 9007199254740993, "q": [1e400]}"#,
    ];
    let dir = Workdir::new();
    dir.write("catalog.toml", FLOATS);
    let line = |(index, data): (usize, &&str)| {
        event(&format!("e{index}"), "2024-10-10T08:00:00", "account-open", data)
    };
    dir.write("in.json", file_of(payloads.iter().enumerate().map(line)));
    let outcome = dir.loader().source("in.json").args(["-b", "--catalog", "catalog.toml"]).succeeds();
    let expected = json!({"data.f": 3, "data.q": 2});
    assert_eq!((outcome.count("written"), &outcome.report()["rounded"]), (6, &expected), "{outcome}");
}

/// Versions within one microsecond are a tie, as docs/guarantees.md says.
#[test]
fn the_latest_version_is_decided_by_what_the_column_holds() {
    let dir = Workdir::new();
    let at = |id: &str, fraction: &str, value: i32| {
        account_open(id, &format!("2024-10-10T08:00:00.{fraction}Z"), value)
    };
    let lines =
        [at("a", "123456900", 1), at("a", "123456100", 2), at("b", "123456100", 3), at("b", "123456900", 4)];
    dir.write("in.json", file_of(lines));
    let outcome = dir.loader().source("in.json").arg("-b").succeeds();
    assert_eq!(outcome.report()["rounded"], json!({"timestamp": 4}), "{outcome}");
    let found = text_of(&rows(&dir.target()));
    let kept = |row: &String| [" 2 ", " 4 "].iter().any(|value| row.contains(value));
    assert!(found.len() == 2 && found.iter().all(kept), "{found:?}");
}
