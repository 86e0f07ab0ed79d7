//! Gigabytes without a newline, bombs, a million keys, 100,000 levels: is memory bounded, and is everything
//! good loaded?

use std::io::Write;

use serde_json::Value;

use crate::support::{
    events::{account_open, file_of},
    files::{assert_same_tree, published},
    forms::{Form, gzip},
    peak_memory::{assert_peak, assert_peak_with_stdin},
    readback::{quarantine, rows},
    workdir::{Loader, Workdir},
};

const MEMORY_MIB: u64 = 64;
const MIB: usize = 1 << 20;

fn good(event_id: &str) -> String {
    account_open(event_id, "2024-10-10T12:00:00", 1)
}

/// A load with the least memory.
fn loader(dir: &Workdir) -> Loader {
    dir.loader().args(["--backfill", "--memory=64MiB", "--threads=4"])
}

/// Two good lines, and between them a bad one of this many MiB; or the same as an array. It is never in
/// memory as a whole.
fn write_huge(output: &mut impl Write, line_mib: usize, in_array: bool) {
    let [open, next, close] = if in_array { ["[", ",", "]"] } else { ["", "\n", "\n"] };
    write!(output, "{open}{}{next}{{\"x\": \"", good("before")).unwrap();
    let piece = vec![b'x'; MIB];
    (0..line_mib).for_each(|_| output.write_all(&piece).unwrap());
    write!(output, "\"}}{next}{}{close}", good("after")).unwrap();
}

/// Asserts that the bad line is reported, and that the good ones around it are rows.
#[track_caller]
fn assert_good_lines_are_loaded(dir: &Workdir, what: &str) {
    let report = fs_err::read(dir.path("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let counts = ["/lines", "/written", "/quarantined/by_reason/line_too_long"]
        .map(|name| report.pointer(name).and_then(Value::as_u64));
    assert_eq!(counts, [Some(3), Some(2), Some(1)], "{what}: {report:#}");
}

/// The quarantine would be as long, so these are dry runs; the next test writes a shorter line.
#[test]
fn a_line_of_a_gigabyte_takes_no_more_memory_than_others() {
    let dir = Workdir::on_disk();
    let dry_run = |source: &str| loader(&dir).arg("--dry-run").source(source);
    assert_peak_with_stdin(
        dry_run("-"),
        |pipe| write_huge(pipe, 1024, false),
        MEMORY_MIB,
        "1 GiB from a pipe",
    );
    assert_good_lines_are_loaded(&dir, "1 GiB from a pipe");

    // Many gzip members, because one takes long to make.
    let [front, piece, back] =
        [format!("{}\n{{\"x\": \"", good("before")), "x".repeat(MIB), format!("\"}}\n{}", good("after"))]
            .map(|text| gzip(text.as_bytes()));
    dir.write("bomb.json.gz", [front, piece.repeat(1024), back].concat());
    for (name, in_array) in [("bomb.json.zst", false), ("array.json.zst", true)] {
        let mut encoder = zstd::Encoder::new(fs_err::File::create(dir.path(name)).unwrap(), 1).unwrap();
        write_huge(&mut encoder, 1024, in_array);
        encoder.finish().unwrap();
    }
    for name in ["bomb.json.gz", "bomb.json.zst", "array.json.zst"] {
        let bytes = fs_err::metadata(dir.path(name)).unwrap().len();
        assert!(bytes < 16 << 20, "{name} is a bomb of {bytes} bytes");
        assert_peak(dry_run(name), MEMORY_MIB, name);
        assert_good_lines_are_loaded(&dir, name);
    }
}

#[test]
fn a_line_longer_than_memory_is_quarantined_whole_and_once() {
    const LINE_MIB: usize = 96;
    let dir = Workdir::on_disk();
    let mut encoder = zstd::Encoder::new(fs_err::File::create(dir.path("in.zst")).unwrap(), 1).unwrap();
    write_huge(&mut encoder, LINE_MIB, false);
    encoder.finish().unwrap();
    let what = "96 MiB, to be kept";
    let load = || {
        assert_peak(loader(&dir).source("in.zst"), MEMORY_MIB, what);
        assert_good_lines_are_loaded(&dir, what);
        published(&dir.target())
    };
    assert_same_tree(&load(), &load(), "loaded again");
    assert_eq!(rows(&dir.target())["2024/10/10/account-open"].len(), 2);
    let [kept] = quarantine(&dir.target()).try_into().expect("one bad line");
    let expected = [b"{\"x\": \"", vec![b'x'; LINE_MIB * MIB].as_slice(), b"\"}"].concat();
    assert!(kept.raw == expected, "{} of {} bytes were kept", kept.raw.len(), expected.len());
}

/// A zstd frame says how far back it refers, and that much has to be held: at most 128 MiB, beside
/// `--memory`.
#[test]
fn a_zstd_frame_that_asks_for_much_memory_is_read_to_128_mib_and_refused_beyond() {
    let dir = Workdir::on_disk();
    dir.write("window.zst", zstd_frame(27));
    assert_peak(loader(&dir).arg("--dry-run").source("window.zst"), MEMORY_MIB + 128, "a window of 128 MiB");
    assert_good_lines_are_loaded(&dir, "a window of 128 MiB");
    for window_log in [28, 31, 41] {
        let source = dir.write("window.zst", zstd_frame(window_log));
        loader(&dir).source(source).exits(1).says(&["window.zst", "more than 128 MiB", "without --long"]);
        assert!(!dir.target().exists(), "a window of 2^{window_log} bytes");
    }
}

/// A handmade frame of raw and run-length blocks (RFC 8878): the 256 MiB that [`write_huge`] writes, in a few
/// KiB.
fn zstd_frame(window_log: u8) -> Vec<u8> {
    const RAW: usize = 0;
    const RUN: usize = 1;
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0, (window_log - 10) << 3];
    let mut block = |kind: usize, size: usize, is_last: bool, content: &[u8]| {
        let header = size << 3 | kind << 1 | usize::from(is_last);
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.extend_from_slice(content);
    };
    let (front, back) = (format!("{}\n", good("before")), format!("\n{}\n", good("after")));
    block(RAW, front.len(), false, front.as_bytes());
    (0..2048).for_each(|_| block(RUN, 128 << 10, false, b"x"));
    block(RAW, back.len(), true, back.as_bytes());
    frame
}

#[test]
fn a_million_keys_cost_neither_memory_nor_a_long_report() {
    let dir = Workdir::on_disk();
    let keys = |count: usize, name: &dyn Fn(usize) -> String| {
        let fields: Vec<_> = (0..count).map(|index| format!("\"{}\":{index}", name(index))).collect();
        fields.join(",")
    };
    let of = |fields: &str| good("e").replace("\"id\": 1", fields);
    let own = |line: usize| of(&keys(10_000, &|index| format!("line {line} key {index}")));
    dir.write("own-keys.json", file_of((0..100).map(own)));
    dir.write("in-a-row.json", of(&keys(1_000_000, &|index| index.to_string())));
    dir.write("twice.json", of(&keys(1_000_000, &|_| "id".to_owned())));
    dir.write("unread-twice.json", of(&keys(1_000_000, &|_| "x".to_owned())));
    dir.write(
        "base-fields.json",
        good("e").replace("\"data\"", &format!("{}, \"data\"", keys(1_000_000, &|_| "domain".to_owned()))),
    );
    dir.write("maps.toml", "[domain.account.events.account-open.fields]\nid = 'int32'\nm = 'map(int32)'");
    let map = |name: &dyn Fn(usize) -> String| of(&format!("\"m\":{{{}}}", keys(1_000_000, name)));
    dir.write("map.json", map(&|index| index.to_string()));
    dir.write("map-last-twice.json", map(&|index| (index % 999_999).to_string()));
    dir.write("map-all-twice.json", map(&|_| "id".to_owned()));
    for (source, written) in [
        ("map.json", 1),
        ("map-last-twice.json", 0),
        ("map-all-twice.json", 0),
        ("own-keys.json", 1),
        ("in-a-row.json", 1),
        ("twice.json", 0),
        ("unread-twice.json", 1),
        ("base-fields.json", 0),
    ] {
        // A line is held as a whole, with what is found in it: 16 MiB.
        let loader = loader(&dir).source(source).args(["--max-bad-lines=100%", "--catalog", "maps.toml"]);
        assert_peak(loader, 3 * MEMORY_MIB, source);
        let report = fs_err::read(dir.path("report.json")).unwrap();
        let parsed: Value = serde_json::from_slice(&report).unwrap();
        assert_eq!(parsed["written"], written, "{source}: {parsed:#}");
        assert!(report.len() < 100_000, "{source}: the report has {} bytes", report.len());
    }
}

#[test]
fn nesting_of_100_000_levels_is_a_bad_line_wherever_it_stands() {
    const LEVELS: usize = 100_000;
    let arrays = format!("{}{}", "[".repeat(LEVELS), "]".repeat(LEVELS));
    let objects = format!("{}1{}", "{\"a\":".repeat(LEVELS), "}".repeat(LEVELS));
    let catalog = "[domain.account.events.deep.fields]\nid = 'json'\nlist = 'list(list(json))'\nobject = { fields = { a = { fields = { a = 'json' } } } }";
    for form in [Form::Lines, Form::Array] {
        let dir = Workdir::in_form(form);
        dir.write("deep.toml", catalog);
        let mut lines = vec![good("before")];
        for deep in [&arrays, &objects] {
            lines.push(deep.clone());
            lines.push(good("e").replace("\"e\"", deep));
            lines.push(good("e").replace("\"account\"", deep));
            lines.push(good("e").replace("{\"id\": 1}", deep));
            for field in ["id", "list", "object", "unknown"] {
                let data = format!("{{\"{field}\": {deep}}}");
                lines.push(good("e").replace("account-open", "deep").replace("{\"id\": 1}", &data));
            }
        }
        lines.push(good("after"));
        dir.write_lines("in.json", &lines);
        let outcome = loader(&dir).args(["--catalog", "deep.toml"]).source("in.json").succeeds();
        assert_eq!(
            (outcome.count("written"), outcome.count("quarantined.total")),
            (2, 16),
            "{form:?}: {outcome}"
        );
        assert_eq!(outcome.reasons()["malformed_json"], 16, "{form:?}: {outcome}");
        dir.bare_loader().args(["catalog", "check", "in.json", "--catalog", "deep.toml"]).exits(3);
        dir.bare_loader().args(["catalog", "infer", "in.json", "--all"]).succeeds();
    }
}
