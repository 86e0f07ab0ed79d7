//! Are documents one behind the other read as such, however they are written, and does a broken one cost
//! itself alone?

use crate::support::{
    events::{account_open, file_of, three_days},
    files::{assert_same_tree, published},
    forms::{Form, gzip, zstd},
    readback::{details, quarantine, rows},
    workdir::Workdir,
};

const MALFORMED: &str = "malformed_json";
const NO_EVENT: &str = "not_an_event";

fn one(event_id: &str) -> String {
    account_open(event_id, "2024-10-10T12:00:00", 1)
}

/// The same over many lines, value by value as it was written.
fn pretty(line: &str) -> String {
    let (mut text, mut in_string, mut escaped) = (String::new(), false, false);
    for character in line.chars() {
        text.push(character);
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_string = !in_string,
            '{' | '[' | ',' | ':' if !in_string => text += "\n  ",
            _ => {}
        }
    }
    text
}

/// `reason line offset raw` of every bad line.
fn bad_lines(dir: &Workdir) -> Vec<String> {
    let text = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
    let shown =
        |bad: &naive_model::BadLine| format!("{} {} {} {}", bad.reason, bad.line, bad.offset, text(&bad.raw));
    quarantine(&dir.target()).iter().map(shown).collect()
}

#[test]
fn documents_load_as_lines_do_however_they_are_written() {
    let lines: Vec<_> = three_days(7).into_iter().filter(|line| line.ends_with('}')).collect();
    let is_json = |line: &&String| serde_json::from_str::<serde_json::Value>(line).is_ok();
    let lines: Vec<_> = lines.iter().filter(is_json).cloned().collect();
    let tree = |bytes: &[u8], args: &[&str]| {
        let dir = Workdir::in_form(Form::Lines);
        let source = dir.write("in.json", bytes);
        let outcome = dir.loader().source(source).arg("--backfill").args(args).succeeds();
        assert_eq!((outcome.count("lines"), outcome.count("blank")), (lines.len() as u64, 0), "{outcome}");
        let mut tree = published(&dir.target());
        tree.retain(|name, _| !name.starts_with('_'));
        tree
    };
    let expected = tree(file_of(&lines).as_bytes(), &[]);
    let prettily: Vec<_> = lines.iter().map(|line| pretty(line)).collect();
    let separated = format!("\u{1e}{}\n", lines.join("\n\u{1e}"));
    for (what, text) in [
        ("without white space", lines.concat()),
        ("with blanks between them", lines.join(" \t")),
        ("over several lines", prettily.join("\n")),
        ("over several lines, without white space between them", prettily.concat()),
        ("with a byte order mark", format!("\u{feff}{}", prettily.concat())),
        ("as RFC 7464 has them", separated),
    ] {
        for args in [&["--threads=1"][..], &["--threads=3", "--memory=64MiB"], &["--framing=documents"]] {
            for bytes in [text.clone().into_bytes(), gzip(text.as_bytes()), zstd(text.as_bytes())] {
                assert_same_tree(&expected, &tree(&bytes, args), &format!("{what}, {args:?}"));
            }
        }
    }
    assert_same_tree(&expected, &tree(file_of(&lines).as_bytes(), &["--framing=documents"]), "lines");
    let array = format!("[{}]", lines.join(","));
    assert_same_tree(&expected, &tree(array.as_bytes(), &["--framing=array"]), "an array");
}

/// What is bad stands between `«` and `»`, which are not in the file; each `@` is an event.
#[test]
fn a_broken_document_costs_itself_alone() {
    for (name, pattern, expected) in [
        ("in its middle", "@«{\"a\":1 \"b\"}»@\n@", vec![(1, MALFORMED)]),
        ("no event", "@ «{}» «[@]» @", vec![(1, NO_EVENT), (1, NO_EVENT)]),
        ("cut before a newline", "@\n«{\"a\": {\"b\": 1»\n@\n@", vec![(2, MALFORMED)]),
        ("cut behind a comma", "@\n«{\"a\": 1,»\n@\n@", vec![(2, MALFORMED)]),
        ("cut in a string", "@\n«{\"a\": \"x»\n@\n@", vec![(2, MALFORMED)]),
        ("cut before a separator", "@\u{1e}«{\"a\": [1,»\u{1e}@", vec![(1, MALFORMED)]),
        ("cut behind a brace", "@«{\"a\": {\"b\": 1}»@@", vec![(1, MALFORMED)]),
        ("a quote too few", "@\n«{\n\"a\": \"x,\n\"b\": [\n{\n}\n]\n}»\n@", vec![(2, MALFORMED)]),
        ("a brace too many", "@«}»\n@", vec![(1, MALFORMED)]),
        ("commas between them", "@«,»\n@«,»@", vec![(1, MALFORMED), (2, MALFORMED)]),
        ("text", "@\n«some text»\n«12» \n«null» @", vec![(2, MALFORMED), (3, NO_EVENT), (4, NO_EVENT)]),
    ] {
        let dir = Workdir::new();
        let (text, marked) = unmarked(pattern);
        let source = dir.write("in.json", &text);
        let outcome = dir.loader().source(source).args(["--backfill", "--framing=documents"]).succeeds();
        let expected: Vec<_> = expected
            .iter()
            .zip(&marked)
            .map(|((line, reason), (offset, raw))| format!("{reason} {line} {offset} {raw}"))
            .collect();
        assert_eq!(bad_lines(&dir), expected, "{name}: {outcome}");
        let inside = marked.iter().map(|(_, raw)| raw.matches("event_id").count()).sum::<usize>();
        let good = pattern.matches('@').count() - inside;
        assert_eq!(outcome.count("written"), good as u64, "{name}: {outcome}");
        assert_eq!(outcome.count("lines"), (good + expected.len()) as u64, "{name}: {outcome}");
    }
}

/// A text without its marks, in which each `@` is an event; and offset and bytes of what is marked.
fn unmarked(pattern: &str) -> (String, Vec<(usize, String)>) {
    let (mut text, mut marked) = (String::new(), Vec::new());
    for (index, character) in pattern.chars().enumerate() {
        match character {
            '«' => marked.push((text.len(), String::new())),
            '»' => {
                let (offset, raw) = marked.last_mut().expect("a mark opens before it closes");
                text[*offset..].clone_into(raw);
            }
            '@' => text.push_str(&one(&format!("event {index}"))),
            other => text.push(other),
        }
    }
    (text, marked)
}

#[test]
fn a_text_that_does_not_tell_is_lines_unless_the_flag_says_otherwise() {
    let dir = Workdir::new();
    let text = format!("{}\n{}{}\n", one("a"), one("b"), one("c"));
    let source = dir.write("in.json", &text);
    let lines = dir.loader().source(&source).arg("--backfill").succeeds();
    assert_eq!((lines.count("written"), lines.count("quarantined.total")), (1, 1));
    assert!(details(&dir.target())[0].contains("the end of the line"));
    assert!(
        lines
            .stderr
            .contains("1 line with several documents; read them with: eventloader --framing documents")
    );
    let documents = dir.loader().source(&source).args(["--backfill", "--framing=documents"]).succeeds();
    assert_eq!((documents.count("written"), documents.count("quarantined.total")), (3, 0));

    let two = dir.write("two.json", format!("{0}{0}\n{0}{0}\n", one("a")));
    let advice = ["expected the end of the line", "--framing documents"];
    dir.loader_into("other").source(&two).arg("--backfill").exits(3).says(&advice);
    dir.loader_into("other").source(&two).args(["--backfill", "--framing=lines"]).exits(3).says(&advice);
    let no_array = dir.loader_into("other").source(&two).args(["--backfill", "--framing=array"]).exits(1);
    no_array.says(&["two.json", "does not begin with `[`"]);
}

#[test]
fn a_document_that_is_cut_off_changes_nothing_and_is_left_for_a_later_run() {
    let (a, b) = (pretty(&one("a")), pretty(&one("b")));
    let text = format!("{a}\n{b}\n");
    for cut in [text.len() - 2, text.len() - 30, a.len() - 1, 20] {
        let dir = Workdir::new();
        let begins = if cut > a.len() { a.len() + 1 } else { 0 };
        dir.write("landing/a.json", &text[..cut]);
        dir.write("landing/good.json", one("good"));
        let place = format!("byte {begins} of the file");
        dir.loader().source("landing/a.json").arg("--backfill").exits(1).says(&["a.json", &place, "cut off"]);
        assert!(!dir.target().exists());
        let merge = || dir.loader().source("landing").args(["--backfill", "--mode=merge", "--skip-loaded"]);
        let first = merge().succeeds();
        assert_eq!(first.count("written"), 1, "{first}");
        assert!(first.stderr.contains("its last document has no end"), "{first}");
        dir.write("landing/a.json", &text);
        assert_eq!(merge().succeeds().count("written"), 2);
        assert_eq!(rows(&dir.target()).values().map(Vec::len).sum::<usize>(), 3);
    }
}

#[test]
fn a_long_document_is_kept_in_fragments_and_its_neighbours_are_loaded() {
    const MAX: usize = 16 * 1024 * 1024;
    let padded = |length: usize| {
        let event = one("e");
        format!("{}{}}}", &event[..event.len() - 1], "\n".repeat(length - event.len()))
    };
    let dir = Workdir::new();
    let (fits, too_long, far_too_long) = (padded(MAX), padded(MAX + 1), padded(MAX + (9 << 20)));
    let text = format!("{too_long}{fits}\n{far_too_long}{{}}");
    let source = dir.write("in.json", &text);
    let outcome = dir.loader().source(source).args(["--backfill", "--framing=documents"]).succeeds();
    assert_eq!((outcome.count("lines"), outcome.count("written")), (4, 1), "{outcome}");
    assert_eq!(outcome.count("quarantined.by_reason.line_too_long"), 2);
    let bad = quarantine(&dir.target());
    let last = bad.last().unwrap();
    let newlines = text[..text.len() - 2].matches('\n').count() as u64;
    assert_eq!(
        (last.line, last.offset, last.raw.as_slice()),
        (newlines + 1, text.len() as u64 - 2, &b"{}"[..])
    );
    let long: usize = bad.iter().map(|bad| bad.raw.len()).sum();
    assert_eq!(long, too_long.len() + far_too_long.len() + 2);
}
