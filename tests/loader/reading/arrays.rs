//! Is a JSON array read as its elements, whatever is wrong with it, and does a truncated or damaged file fail
//! the load?

use crate::support::{
    events::{account_open, file_of, plain_events, three_days},
    files::{assert_no_debris, assert_same_tree, published},
    forms::{FORMS, Form, each_form, gzip, zstd},
    readback::{quarantine, rows},
    workdir::Workdir,
};

fn one(event_id: &str) -> String {
    account_open(event_id, "2024-10-10T12:00:00", 1)
}

/// `reason line offset raw` of every bad line.
fn bad_lines(dir: &Workdir) -> Vec<String> {
    let text = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
    quarantine(&dir.target())
        .iter()
        .map(|bad| format!("{} {} {} {}", bad.reason, bad.line, bad.offset, text(&bad.raw)))
        .collect()
}

#[test]
fn every_form_loads_as_lines_do() {
    let lines: Vec<_> = three_days(7).into_iter().filter(|line| line.ends_with('}')).collect();
    let tree = |form: Form| {
        let dir = Workdir::in_form(form);
        let source = dir.write_lines("in.json", &lines);
        let outcome = dir.loader().source(source).arg("--backfill").succeeds();
        assert_eq!(outcome.count("lines"), lines.len() as u64, "{outcome}");
        assert!(outcome.count("superseded") > 5 && outcome.count("quarantined.total") > 5, "{outcome}");
        let mut tree = published(&dir.target());
        tree.retain(|name, _| !name.starts_with('_'));
        tree
    };
    let expected = tree(Form::Lines);
    for form in FORMS {
        assert_same_tree(&expected, &tree(form), &format!("{form:?}"));
    }
}

#[test]
fn standard_input_may_have_any_form() {
    each_form(|form| {
        let dir = Workdir::in_form(form);
        let lines = [one("a"), "{\"x\"".to_owned() + "}", one("b")];
        let bytes = form.encode(&form.write(&lines).text);
        let outcome = dir.loader().source("-").stdin(bytes).arg("--backfill").succeeds();
        assert_eq!((outcome.count("written"), outcome.count("quarantined.total")), (2, 1), "{outcome}");
    });
}

/// The bad elements stand between `«` and `»`, which are not in the file; each case gives their lines and
/// reasons.
#[test]
fn what_an_array_has_wrong_is_quarantined_alone() {
    let malformed = "malformed_json";
    for (name, pattern, expected) in [
        ("nothing", "[@,@,@]", vec![]),
        ("no element", "\u{FEFF} \n[\n]\n\n", vec![]),
        ("a broken element", "[@,\n«{\"a\":1 \"b\"}»,\n@]", vec![(2, malformed)]),
        ("no object", "[@,\n «12» ,\n@]", vec![(2, "not_an_event")]),
        ("an array", "[@,«[@, @]»]", vec![(1, "not_an_event")]),
        ("junk", "[@,\n «junk» \r\n,@]", vec![(2, malformed)]),
        ("junk without a comma", "[@ «junk»,@]", vec![(1, malformed)]),
        ("no comma", "[@\n«@»,\n@]", vec![(2, malformed)]),
        ("a comma too many", "[@,\n«,»@]", vec![(2, malformed)]),
        ("a comma at the end", "[@,@,\n«]»\n", vec![(2, malformed)]),
        ("a comma at the start", "[«,»\n@,@]\n", vec![(1, malformed)]),
        ("a brace too many", "[@,«{}»«}»\n,@]", vec![(1, "not_an_event"), (1, malformed)]),
        ("text behind it", "[@\n,@] «x» \n", vec![(2, malformed)]),
        ("an event behind it", "[@,@] «@»\n", vec![(1, malformed)]),
        ("lines below it", "[\n]\n\n @\r\n«{»\n@", vec![(5, malformed)]),
        ("a string", "[@,\n«\"a, b] \\\" {\"»,@]", vec![(2, "not_an_event")]),
        (
            "elements over many lines",
            "\n[\n«{\n\"x\n\":\n1}»,\n@,\n«{\n}»\n]",
            vec![(3, malformed), (8, "not_an_event")],
        ),
    ] {
        let (text, marked) = unmarked(pattern);
        let dir = Workdir::new();
        let outcome = dir.loader().source(dir.write("in.json", &text)).arg("--backfill").succeeds();
        let expected: Vec<_> = expected
            .iter()
            .zip(&marked)
            .map(|((line, reason), (offset, raw))| format!("{reason} {line} {offset} {raw}"))
            .collect();
        assert_eq!(bad_lines(&dir), expected, "{name}: {outcome}");
        let good = outcome.count("written") + outcome.count("superseded");
        let events = pattern.matches('@').count()
            - marked.iter().map(|(_, raw)| raw.matches("event_id").count()).sum::<usize>();
        assert_eq!(good, events as u64, "{name}: {outcome}");
        let counts = (outcome.count("lines"), outcome.count("blank"));
        assert_eq!(counts, (good + expected.len() as u64, 0), "{name}: {outcome}");
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
fn an_array_that_is_cut_off_changes_nothing() {
    let (a, b) = (one("a"), one("b"));
    let dir = Workdir::new();
    dir.loader().source(dir.write("before.json", &a)).arg("--backfill").succeeds();
    let before = published(&dir.target());
    let pretty = format!("[\n{a},\n{b}\n");
    let swallowed = format!("[{a},{{\"x\":{{}},{b}]");
    for (text, offset) in [
        ("[".to_owned(), 1),
        (format!("[{a}"), 1 + a.len()),
        (format!("[{a},"), 2 + a.len()),
        (format!("[{a},{}", &b[..20]), 2 + a.len()),
        (pretty.clone(), pretty.len()),
        // An open bracket takes in what follows, here the array's own bracket; after two of them the element
        // has no end.
        (swallowed.clone(), swallowed.len()),
        (format!("[{a},{{\"x\":{{{{}},{b}]"), 2 + a.len()),
    ] {
        for (bytes, place) in [
            (text.clone().into_bytes(), format!("byte {offset} of the file")),
            (zstd(text.as_bytes()), format!("byte {offset} of its decompressed text")),
        ] {
            let source = dir.write("in.json", &bytes);
            dir.loader().source(&source).arg("--backfill").exits(1).says(&["in.json", &place, "cut off"]);
            dir.loader().source("-").stdin(bytes).arg("--backfill").exits(1).says(&["-: ", &place]);
            assert_same_tree(&before, &published(&dir.target()), "after an array that is cut off");
        }
    }
    assert_no_debris(&dir.target());
}

#[test]
fn a_compressed_file_that_is_cut_off_or_damaged_changes_nothing() {
    let text = file_of(plain_events(1, 2_000, 10));
    let dir = Workdir::new();
    for (name, whole) in [("gzip", gzip(text.as_bytes())), ("zstd", zstd(text.as_bytes()))] {
        let changed = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            bytes
        };
        for (what, bytes) in [
            ("the last byte missing", whole[..whole.len() - 1].to_vec()),
            ("half of it", whole[..whole.len() / 2].to_vec()),
            ("the first bytes", whole[..8].to_vec()),
            ("a changed byte", changed(whole.len() / 2)),
            ("a changed check sum", changed(whole.len() - 2)),
            ("text behind it", [whole.as_slice(), b"more"].concat()),
            ("half a second one", [whole.as_slice(), &whole[..whole.len() / 2]].concat()),
        ] {
            if name == "zstd" && what == "a changed check sum" {
                continue; // Ours has none; what is damaged need not show.
            }
            let place = ["in.json", name, "of its decompressed text"];
            let source = dir.write("in.json", &bytes);
            dir.loader().source(source).arg("--backfill").exits(1).says(&place);
            dir.loader().source("-").stdin(bytes).arg("--backfill").exits(1).says(&place[1..]);
            assert!(!dir.target().exists(), "{name}, {what}");
        }
    }
}

#[test]
fn an_empty_compressed_file_is_an_empty_file() {
    let dir = Workdir::new();
    for bytes in [gzip(b""), zstd(b""), [gzip(b""), gzip(b"")].concat()] {
        let outcome = dir.loader().source(dir.write("in.gz", &bytes)).arg("--backfill").succeeds();
        assert_eq!((outcome.count("lines"), outcome.count("written")), (0, 0), "{outcome}");
        dir.loader().source("-").stdin(bytes).arg("--backfill").succeeds();
    }
}

#[test]
fn an_element_has_16_mib_and_not_one_byte_more() {
    const MAX: usize = 16 * 1024 * 1024;
    let padded = |length: usize| {
        let event = account_open("e", "2024-10-10T12:00:00", 1);
        format!("{}{}}}", &event[..event.len() - 1], "\n".repeat(length - event.len()))
    };
    let (fits, too_long, far_too_long) = (padded(MAX), padded(MAX + 1), padded(MAX + (9 << 20)));
    let dir = Workdir::new();
    let text = format!("[{too_long},{fits},{far_too_long},\n{{}}\n]");
    let outcome = dir.loader().source(dir.write("in.json", &text)).arg("--backfill").succeeds();
    assert_eq!((outcome.count("lines"), outcome.count("written")), (4, 1), "{outcome}");
    assert_eq!(outcome.reasons()["line_too_long"], 2, "fragments are one bad line");
    let bad = quarantine(&dir.target());
    let line = |before: &str| 1 + before.matches('\n').count() as u64;
    let expected = [0, 2, 3].map(|index| {
        let offset = match index {
            0 => 1,
            2 => 3 + too_long.len() + fits.len(),
            _ => text.len() - 4,
        };
        (line(&text[..offset]), offset as u64)
    });
    assert_eq!(bad.iter().map(|bad| (bad.line, bad.offset)).collect::<Vec<_>>(), expected);
    assert!(bad[0].raw == too_long.as_bytes() && bad[1].raw == far_too_long.as_bytes(), "all of it is kept");
}

#[test]
fn forms_may_be_mixed() {
    let dir = Workdir::new();
    for (index, form) in FORMS.iter().enumerate() {
        let lines = [one(&format!("{index}a")), "{}".to_owned(), one(&format!("{index}b"))];
        dir.write(&format!("in/{index}.json"), form.encode(&form.write(&lines).text));
    }
    let outcome = dir.loader().source("in").arg("--backfill").succeeds();
    assert_eq!(outcome.count("written"), 2 * FORMS.len() as u64, "{outcome}");
    assert_eq!(rows(&dir.target())["2024/10/10/account-open"].len(), 2 * FORMS.len());
    let lines: Vec<_> = quarantine(&dir.target()).iter().map(|bad| bad.line).collect();
    assert_eq!(lines.len(), FORMS.len(), "{lines:?}");
}
