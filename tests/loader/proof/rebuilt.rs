//! Can the bad lines, and with the good ones the whole source, be rebuilt from the quarantine alone?
//!
//! Random files with good, bad, blank, over-long and binary lines, in every form; each line with a line end
//! of its own.

use std::{collections::BTreeMap, path::PathBuf};

use naive_model::BadLine;

use crate::support::{
    events::Die,
    files::{assert_same_lines, assert_same_tree, published},
    forms::{FORMS, Form},
    hostile,
    readback::{quarantine, rows, text_of, text_of_bad_line},
    workdir::{Outcome, Workdir},
};

const LINE_BYTES_MAX: usize = 16 << 20;

/// The forms with lines longer than that, and what fills them: bytes kept as they are, escaped ones, and
/// bytes that are not text.
const OVER_LONG: [(Form, u8); 4] =
    [(Form::Lines, b'x'), (Form::ZstdOfManyFrames, b'\0'), (Form::Array, 0xFF), (Form::ArrayInGzip, b'\0')];

/// Path → the text that was written there.
type Sources = BTreeMap<PathBuf, Vec<u8>>;

#[test]
fn what_is_quarantined_can_be_put_back_byte_for_byte_a() {
    rebuild(0);
}

/// A second test, because tests run side by side.
#[test]
fn what_is_quarantined_can_be_put_back_byte_for_byte_b() {
    rebuild(1);
}

fn rebuild(parity: usize) {
    let mut reached = BTreeMap::<String, u64>::new();
    for (index, form) in FORMS.into_iter().enumerate().filter(|(index, _)| index % 2 == parity) {
        for seed in 0..6 {
            let mut die = Die::new(1_000 + 6 * index as u64 + seed);
            let dir = Workdir::in_form(form);
            let over_long = OVER_LONG.iter().find(|(of_form, _)| *of_form == form && seed == 0);
            let sources = write(&dir, form, &mut die, over_long.map(|(_, filler)| *filler));
            let outcome = load(&dir, "target", &["in", "--threads=1"]);
            let bad_lines = quarantine(&dir.target());
            assert_eq!(outcome.count("quarantined.total"), bad_lines.len() as u64, "{outcome}");
            for bad in &bad_lines {
                *reached.entry(bad.reason.clone()).or_default() += 1;
            }
            let are_lines = sources.values().all(|text| is_read_as_lines(text));
            let rests = rests(&sources, &bad_lines, are_lines, &outcome);
            if are_lines {
                assert_rest_is_good(&dir, &rests, &outcome);
            }
            let before = published(&dir.target());
            load(&dir, "target", &["in", "--threads=3", "--memory=64MiB"]);
            assert_same_tree(&before, &published(&dir.target()), &format!("loaded again, after {outcome}"));
        }
    }
    for reason in ["line_too_long", "invalid_utf8", "malformed_json", "duplicate_key", "bad_timestamp"] {
        assert!(
            reached.get(reason).is_some_and(|times| *times >= 2),
            "{reason} is hardly tested: {reached:?}"
        );
    }
}

/// All lines of a random file may be bad.
fn load(dir: &Workdir, target: &str, arguments: &[&str]) -> Outcome {
    dir.loader_into(target).args(["--backfill", "--max-bad-lines=100%", "-s"]).args(arguments).succeeds()
}

/// One to three random files.
fn write(dir: &Workdir, form: Form, die: &mut Die, over_long: Option<u8>) -> Sources {
    let mut sources = Sources::new();
    for mut file in hostile::files(die) {
        for _ in 0..3 {
            insert(&mut file.lines, die, |die| (0..die.roll(300)).map(|_| byte(die)).collect());
        }
        if let Some(filler) = over_long.filter(|_| sources.is_empty()) {
            insert(&mut file.lines, die, |die| {
                let length = LINE_BYTES_MAX + 1 + die.index(3 << 20);
                [b"{\"x\": \"", vec![filler; length].as_slice(), b"\"}"].concat()
            });
        }
        let text = if form.is_array() { form.write(&file.lines).text } else { file.lines.concat() };
        let path = dir.write(&format!("in/{}", file.name), form.encode(&text));
        sources.insert(path, text);
    }
    sources
}

/// A random text may well begin as an array does.
fn is_read_as_lines(text: &[u8]) -> bool {
    !text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start().starts_with(b"[")
}

/// Inserts a line with one of the line ends.
fn insert(lines: &mut Vec<Vec<u8>>, die: &mut Die, line: impl FnOnce(&mut Die) -> Vec<u8>) {
    let end = *die.pick(&["\n", "\r\n", "\r\r\n"]);
    let line = [line(die).as_slice(), end.as_bytes()].concat();
    // After the last line, which may have no end, it would become part of that.
    lines.insert(die.index(lines.len().max(1)), line);
}

fn byte(die: &mut Die) -> u8 {
    let byte = u8::try_from(die.roll(256)).unwrap();
    if byte == b'\n' { b' ' } else { byte }
}

/// Puts the bad lines back into their sources, in which only zeros are left in their places; returns the
/// sources without them.
#[track_caller]
fn rests(sources: &Sources, bad_lines: &[BadLine], are_lines: bool, outcome: &Outcome) -> Sources {
    let mut rests = Sources::new();
    for (path, text) in sources {
        let (mut rebuilt, mut rest, mut end) = (text.clone(), Vec::new(), 0);
        let of_this = || bad_lines.iter().filter(|bad| bad.source == path.to_str().unwrap());
        let range = |bad: &BadLine| {
            let start = usize::try_from(bad.offset).unwrap();
            start..start + bad.raw.len()
        };
        of_this().for_each(|bad| rebuilt[range(bad)].fill(0));
        for bad in of_this() {
            let range = range(bad);
            rebuilt[range.clone()].copy_from_slice(&bad.raw);
            if are_lines {
                let is_whole = (range.start == 0 || text[range.start - 1] == b'\n')
                    && text.get(range.end).is_none_or(|byte| *byte == b'\n');
                assert!(is_whole, "{} is not all of its line, after {outcome}", text_of_bad_line(bad));
            }
            assert!(
                range.start >= end,
                "{} is in the quarantine twice, after {outcome}",
                text_of_bad_line(bad)
            );
            rest.extend_from_slice(&text[end..range.start]);
            end = (range.end + 1).min(text.len());
        }
        rest.extend_from_slice(&text[end..]);
        assert!(rebuilt == *text, "{} can't be put together again, after {outcome}", path.display());
        rests.insert(path.clone(), rest);
    }
    let known: usize = sources
        .keys()
        .map(|path| bad_lines.iter().filter(|bad| bad.source == path.to_str().unwrap()).count())
        .sum();
    assert_eq!(known, bad_lines.len(), "bad lines of other sources, after {outcome}");
    rests
}

/// Without its bad lines a source has no bad lines, and the same rows: so no good line was taken for part of
/// a bad one, and none was forgotten.
#[track_caller]
fn assert_rest_is_good(dir: &Workdir, rests: &Sources, outcome: &Outcome) {
    for (path, text) in rests {
        let name = path.strip_prefix(dir.path("in")).unwrap().display().to_string();
        dir.write(&format!("rest/{name}"), text);
    }
    let of_rest = load(dir, "rest-target", &["rest"]);
    assert_eq!(of_rest.count("quarantined.total"), 0, "{of_rest}, the rest of {outcome}");
    let [all, rest] = ["target", "rest-target"].map(|target| text_of(&rows(&dir.path(target))));
    assert_same_lines(&all, &rest, &format!("rows of the rest of {outcome}"));
}
