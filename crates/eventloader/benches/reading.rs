//! How fast are sources read and lines parsed into columns? One thread, without the later stages of a load.
//!
//! It runs `catalog check` on several kinds of events, because their lines differ in cost: events of datagen
//! in every form of input, sparse events of a wide type, nested events of a public source. Every event must
//! load; otherwise the bench fails before it measures.
//!
//! ```sh
//! cargo bench -p eventloader --bench reading                            # all
//! cargo bench -p eventloader --bench reading -- sparse                  # those with "sparse" in their names
//! cargo bench -p eventloader --bench reading -- github --sample-count 100
//! ```
//!
//! Each bench prints its time, with bytes and events per second below. Bytes are those of the text, even if
//! the file is compressed. To compare two commits, build both first, then run them in turn on an idle machine
//! and look at `fastest`, which other programs disturb least:
//!
//! ```sh
//! git worktree add /tmp/before main
//! for turn in 1 2 3; do
//!     for dir in /tmp/before .; do (cd $dir && cargo bench -p eventloader --bench reading -- datagen); done
//! done
//! ```
#![expect(clippy::disallowed_methods, reason = "a bench makes its own files")]
#![allow(clippy::unwrap_used, reason = "a bench that can't go on should stop at that line")]

mod support;

use std::{
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
};

use divan::Bencher;
use event_parser::{Framing, Selection};
use eventloader::{
    commands::catalog::{self, InferSettings, ReadSettings},
    runtime::{MEMORY_BYTES_DEFAULT, Progress},
};
use events_core::catalog::{BUILT_IN, Catalog};
use flate2::{Compression, write::GzEncoder};

use self::support::{Input, generated};

const EVENTS: u64 = 100_000;

fn main() {
    divan::Divan::default().sample_count(20).config_with_args().main();
}

fn settings(sources: Vec<PathBuf>, catalog: Catalog) -> ReadSettings {
    ReadSettings {
        framing: Framing::Auto,
        sources,
        stores: eventloader::settings::StoreOptions::default(),
        catalog,
        selection: Selection::default(),
        memory_bytes: MEMORY_BYTES_DEFAULT,
        threads: 1,
        progress: Progress::hidden(),
    }
}

fn measure(bencher: Bencher, input: &Input, catalog: Catalog) {
    let settings = settings(input.sources(), catalog);
    let check = || catalog::check(&settings).unwrap();
    let all = format!("{0} lines: {0} would load", input.events);
    let checked = check().to_string();
    assert!(checked.contains(&all), "expected {all}, found\n{checked}");
    input.measure(bencher, check);
}

/// How events may stand in a file.
#[derive(Debug, Clone, Copy)]
enum Form {
    Lines,
    Gzip,
    Zstd,
    PrettyArray,
}

#[divan::bench(args = [Form::Lines, Form::Gzip, Form::Zstd, Form::PrettyArray])]
fn datagen(bencher: Bencher, form: Form) {
    let lines = generated(EVENTS);
    let input = match form {
        Form::Lines => Input::lines(&lines),
        Form::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&lines).unwrap();
            Input::new(&encoder.finish().unwrap(), &lines, EVENTS.try_into().unwrap())
        }
        Form::Zstd => {
            let stored = zstd::encode_all(lines.as_slice(), 0).unwrap();
            Input::new(&stored, &lines, EVENTS.try_into().unwrap())
        }
        Form::PrettyArray => {
            let text = pretty_array(&lines);
            Input::new(&text, &text, EVENTS.try_into().unwrap())
        }
    };
    measure(bencher, &input, BUILT_IN.clone());
}

/// The lines as one array, each member on a line of its own, as `jq -s .` writes it.
fn pretty_array(lines: &[u8]) -> Vec<u8> {
    let (mut text, mut depth, mut in_string) = (b"[".to_vec(), 1, false);
    let line_break = |text: &mut Vec<u8>, depth: usize| {
        text.push(b'\n');
        text.resize(text.len() + 2 * depth, b' ');
    };
    for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        if text.len() > 1 {
            text.push(b',');
        }
        line_break(&mut text, depth);
        for &byte in line {
            // datagen escapes nothing.
            in_string ^= byte == b'"';
            match byte {
                _ if in_string => text.push(byte),
                b' ' => {}
                b':' => text.extend(b": "),
                b'{' | b',' => {
                    depth += usize::from(byte == b'{');
                    text.push(byte);
                    line_break(&mut text, depth);
                }
                b'}' => {
                    depth -= 1;
                    line_break(&mut text, depth);
                    text.push(byte);
                }
                _ => text.push(byte),
            }
        }
    }
    text.extend(b"\n]\n");
    text
}

const COLUMNS: u64 = 200;

/// Which of the columns of a wide type an event has.
#[derive(Debug, Clone, Copy)]
enum Keys {
    /// Those of the event before.
    Same,
    /// Others each time.
    Other,
}

#[divan::bench(args = [Keys::Same, Keys::Other])]
fn sparse_5_of_200_columns(bencher: Bencher, keys: Keys) {
    let mut catalog = "[domain.wide.events.sparse.fields]\n".to_owned();
    for column in 0..COLUMNS {
        let (value_type, _) = wide_value(column, 0);
        writeln!(catalog, "column_{column:03} = \"{value_type}\"").unwrap();
    }
    let mut lines = String::new();
    for event in 0..EVENTS {
        let start = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(event.cast_signed());
        write!(
            lines,
            r#"{{"event_id":"00000000-0000-4000-8000-{event:012x}","timestamp":"{}","domain":"wide","event_type":"sparse","data":{{"#,
            start.format("%Y-%m-%dT%H:%M:%SZ")
        )
        .unwrap();
        for value in 0..5 {
            let column = match keys {
                Keys::Same => value * 41 % COLUMNS,
                Keys::Other => (event * 7 + value * 41) % COLUMNS,
            };
            let comma = if value > 0 { "," } else { "" };
            write!(lines, r#"{comma}"column_{column:03}":{}"#, wide_value(column, event).1).unwrap();
        }
        lines.push_str("}}\n");
    }
    let catalog = BUILT_IN.extended(&[("wide.toml", &catalog)]).unwrap();
    measure(bencher, &Input::lines(lines.as_bytes()), catalog);
}

/// The type of a column, and its value in an event.
fn wide_value(column: u64, event: u64) -> (&'static str, String) {
    match column % 5 {
        0 => ("string", format!("\"the text of event {event}\"")),
        1 => ("int32", event.to_string()),
        2 => ("decimal(10,2)", format!("{event}.25")),
        3 => ("boolean", (event.is_multiple_of(3)).to_string()),
        _ => ("date", format!("\"2024-10-{:02}\"", event % 28 + 1)),
    }
}

/// Nested objects, lists of objects, keys that vary: 14 event types, with the catalog that is drafted from
/// them.
#[divan::bench]
fn github(bencher: Bencher) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/loader/data/github_events.json");
    let text = fs_err::read(&sample).unwrap();
    let read = settings(vec![sample.clone()], BUILT_IN.clone());
    let infer = InferSettings {
        read,
        catalogs: Vec::new(),
        envelope: None,
        check: false,
        with_known: false,
        lines_max: None,
        output: None,
        force: false,
    };
    let draft = catalog::infer(&infer).unwrap().document.unwrap();
    let catalog = BUILT_IN.extended(&[("draft", &draft)]).unwrap();
    measure(bencher, &Input::lines(&text.repeat(80)), catalog);
}
