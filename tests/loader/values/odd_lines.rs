//! Is this one strange line a row, with these values, or a bad line, for this reason?
//!
//! Each table row has a name or value, a line, and `Ok` of a column's value or `Err` of a reason. A table is
//! loaded as one file (`$` in a line becomes a unique event id), and all lines that come out wrong are listed
//! together. `json` asks what counts as a line of JSON, `base_fields` what makes it an event, `values` what
//! becomes of its payload.

mod json;
mod base_fields;
mod values;

use naive_model::{BadLine, Flags, Rows, value_text::json_string};

use crate::support::{
    events::event,
    files::visible,
    forms::{FORMS, Written},
    readback::{quarantine, quarantine_records, rows},
    workdir::Workdir,
};

/// A value of the column that a table is about, as text; or a reason.
type Outcome<'a> = Result<&'a str, &'a str>;

/// Columns that tables are about.
const TIMESTAMP: usize = 1;
const DOMAIN: usize = 2;
const ID: usize = 4;
/// `data_old_status` of an account's events, `data_to` of a payment's.
const TEXT: usize = 5;
const AMOUNT: usize = 7;

/// Loads the lines of a table as one file, in every form, and compares what became of each.
#[track_caller]
fn check<N: AsRef<str>, L: AsRef<[u8]>>(column: usize, table: &[(N, L, Outcome)]) {
    let mut lines = Vec::new();
    for (index, (_, line, _)) in table.iter().enumerate() {
        let mut line = line.as_ref().to_vec();
        if let Some(at) = line.windows(3).position(|bytes| bytes == b"\"$\"") {
            line.splice(at + 1..at + 2, event_id(index).bytes());
        }
        lines.push(line);
    }
    for form in FORMS {
        let Written { text, offsets } = form.write(&lines);
        // The table tests the model too: what it gets wrong here, it would get wrong about random lines.
        let model = naive_model::load(&[("in.json".to_owned(), text.clone())], &Flags::default());
        compare(column, table, &offsets, &model.rows, &model.bad_lines, "the model");

        let dir = Workdir::in_form(form);
        let source = dir.write("in.json", form.encode(&text));
        let outcome = dir.loader().source(source).args(["--backfill", "--max-bad-lines=100%"]).succeeds();
        let (rows, mut bad_lines) = (rows(&dir.target()), quarantine(&dir.target()));
        compare(column, table, &offsets, &rows, &bad_lines, &outcome.to_string());
        for bad in &mut bad_lines {
            "in.json".clone_into(&mut bad.source);
        }
        assert!(bad_lines == model.bad_lines, "bad lines are where the model has them, after {outcome}");
    }
}

#[track_caller]
fn compare<N: AsRef<str>, L: AsRef<[u8]>>(
    column: usize,
    table: &[(N, L, Outcome)],
    offsets: &[Option<u64>],
    rows: &Rows,
    bad_lines: &[BadLine],
    after: &str,
) {
    let rows: Vec<_> = rows.values().flatten().collect();
    let mut wrong = Vec::new();
    for (index, ((name, line, expected), offset)) in table.iter().zip(offsets).enumerate() {
        // Lines that the form can't express are left out.
        let Some(offset) = offset else { continue };
        let row = rows.iter().find(|row| row[0] == json_string(&event_id(index)));
        let bad = bad_lines.iter().find(|bad| bad.offset == *offset);
        let found = match (row, bad) {
            (Some(row), None) => Ok(row[column].as_str()),
            (None, Some(bad)) => Err(bad.reason.as_str()),
            (None, None) => Err("neither row nor bad line"),
            (Some(_), Some(_)) => Err("both row and bad line"),
        };
        if found != *expected {
            let (name, line) = (name.as_ref(), visible(line.as_ref()));
            wrong.push(format!(
                "{name}\n    line     {line}\n    expected {expected:?}\n    found    {found:?}"
            ));
        }
    }
    let (count, all) = (wrong.len(), offsets.iter().flatten().count());
    assert!(
        wrong.is_empty(),
        "{count} of {all} lines came out wrong:\n  {}\nafter {after}",
        wrong.join("\n  ")
    );
    assert_eq!(rows.len() + bad_lines.len(), all, "every line is one row or one bad line, after {after}");
}

fn event_id(index: usize) -> String {
    format!("event {index}")
}

/// An `account-open` of 2024-10-10 with this payload.
fn open(data: &str) -> String {
    event("$", "2024-10-10T00:00:00", "account-open", data)
}

/// The text of 2024-10-10T00:00:00 in the column `timestamp`, for tables that ask whether there is a row at
/// all.
const ROW: Outcome = Ok("2024-10-10T00:00:00.000000Z");

#[test]
fn a_bad_line_tells_where_it_was_and_what_was_expected() {
    let dir = Workdir::new();
    let lines = [
        "{\"x\"",
        &open(r#"{"id": "twelve"}"#),
        &event("$", "2024-10-10", "payment-to", r#"{"amount": 100000000}"#),
    ];
    let source = dir.write("in.json", lines.join("\n"));
    dir.loader().source(&source).args(["--backfill", "--max-bad-lines=100%"]).succeeds();

    let records = quarantine_records(&dir.target());
    let fields = records.iter().map(|(record, _)| {
        assert_eq!(record["source"], source.display().to_string());
        for key in ["expected", "found"] {
            assert!(
                record["detail"][key].as_str().is_some_and(|text| !text.is_empty()),
                "no {key} in {record}"
            );
        }
        record["detail"]["field"].as_str().map(str::to_owned)
    });
    assert_eq!(
        fields.collect::<Vec<_>>(),
        [None, Some("data.id".to_owned()), Some("data.amount".to_owned())]
    );
}
