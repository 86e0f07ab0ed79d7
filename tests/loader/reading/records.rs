//! Are the records of a document found where the envelope says, also in one that is larger than memory, and
//! are those before a break kept?

use std::fmt::Write as _;

use events_core::catalog::Catalog;
use naive_model::{Flags, Wanted};

use crate::support::{
    events::{account_open, plain_events},
    files::{assert_same_tree, published},
    forms::{gzip, zstd},
    peak_memory::assert_peak,
    readback::{details, quarantine, quarantine_records, rows, text_of},
    workdir::{Outcome, Workdir},
};

const FIELDS: &str = r#"
event_id = "{event_id}"
timestamp = "{timestamp}"
domain = "{domain}"
event_type = "{event_type}"
data = "{data}"
"#;

fn one(event_id: &str) -> String {
    account_open(event_id, "2024-10-10T12:00:00", 1)
}

fn envelope(dir: &Workdir, records: &str) {
    dir.write("envelope.toml", format!("[envelope]\nrecords = {records}{FIELDS}"));
}

fn load(dir: &Workdir, text: impl AsRef<[u8]>, args: &[&str]) -> Outcome {
    let source = dir.write("in.json", text);
    dir.loader().source(source).args(["--backfill", "--catalog", "envelope.toml"]).args(args).succeeds()
}

/// `reason line offset raw` of every bad line.
fn bad_lines(dir: &Workdir) -> Vec<String> {
    let text = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
    let shown =
        |bad: &naive_model::BadLine| format!("{} {} {} {}", bad.reason, bad.line, bad.offset, text(&bad.raw));
    quarantine(&dir.target()).iter().map(shown).collect()
}

#[test]
fn records_load_as_lines_do_wherever_they_are() {
    let lines = plain_events(1, 300, 10);
    let tree = |records: &str, text: &[u8], args: &[&str]| {
        let dir = Workdir::new();
        envelope(&dir, records);
        let outcome = load(&dir, text, args);
        assert_eq!(outcome.count("lines"), lines.len() as u64, "{outcome}");
        let mut tree = published(&dir.target());
        tree.retain(|name, _| !name.starts_with('_'));
        tree
    };
    let expected = tree("\".\"", lines.join("\n").as_bytes(), &[]);
    let groups: Vec<_> = lines.chunks(7).map(|group| group.join(",")).collect();
    let per_line: Vec<_> =
        groups.iter().map(|group| format!("{{\"x\": [1], \"a\": [{group}], \"y\": 1}}\n")).collect();
    let per_line = per_line.concat();
    let levels: Vec<_> = groups.iter().map(|group| format!("{{\"b\": {{\"c\": [{group}]}}}}")).collect();
    let wrapped: Vec<_> = lines.iter().map(|line| format!("{{\"item\": {line}}}")).collect();
    let payloads: Vec<_> =
        lines.iter().map(|line| format!("{{\"schema\": {{}}, \"payload\": {line}}}")).collect();
    for (what, records, text) in [
        ("in each line", "\"a[]\"", per_line.clone()),
        ("in each element of an array", "\"a[]\"", format!("[{}]", per_line.trim_end().replace('\n', ","))),
        ("in each document", "\"a[]\"", per_line.replace('\n', "")),
        ("in one document", "[\"z[]\", \"a[]\"]", format!("{{\"a\": [\n{}\n]}}", lines.join(",\n"))),
        ("at two levels", "\"a[].b.c[]\"", format!("{{\"a\": [{}]}}", levels.join(", "))),
        ("behind a list", "\"a[].item\"", format!("{{\"a\": [{}]}}", wrapped.join(", "))),
        ("in an object", "[\"payload\", \".\"]", payloads.join("\n")),
        ("themselves", "[\"a[]\", \".\"]", lines.join("\n")),
    ] {
        for args in [&["--threads=1"][..], &["--threads=3", "--memory=64MiB"]] {
            for bytes in [text.clone().into_bytes(), gzip(text.as_bytes()), zstd(text.as_bytes())] {
                assert_same_tree(&expected, &tree(records, &bytes, args), &format!("{what}, {args:?}"));
            }
        }
    }
}

#[test]
fn each_record_is_a_line_with_its_own_place() {
    let dir = Workdir::new();
    envelope(&dir, "\"a[]\"");
    let (e, f, g) = (one("e"), one("f"), one("g"));
    let text = format!(
        "{{\"a\": [{e},\n  {{\"bad\": 1}}, junk\n,]}}\n{{\"a\": []}}{{\"a\": null}}\n{{\"b\": 1}}\n{{\"a\": [{f}], \"x\" 1}}{{\"a\": [{g}]}}"
    );
    let outcome = load(&dir, &text, &["--framing=documents"]);
    assert_eq!(
        (outcome.count("lines"), outcome.count("blank"), outcome.count("written")),
        (8, 0, 3),
        "{outcome}"
    );
    let at = |what: &str| text.find(what).unwrap();
    assert_eq!(
        bad_lines(&dir),
        [
            format!("not_an_event 2 {} {{\"bad\": 1}}", at("{\"bad")),
            format!("malformed_json 2 {} junk", at("junk")),
            format!("malformed_json 3 {} ]", at(",]") + 1),
            format!("not_an_event 5 {} {{\"b\": 1}}", at("{\"b\"")),
            format!("malformed_json 6 {} ], \"x\" 1}}", at("], \"x\"")),
        ]
    );
    let details = details(&dir.target());
    assert!(
        details.iter().any(|detail| detail.contains("expected records at a[], found {\"b\": 1}")),
        "{details:?}"
    );
    assert!(details.iter().any(|detail| detail.contains("expected `:`, found 1} at byte 8")), "{details:?}");
}

/// `@` is an event.
#[test]
fn whatever_is_wrong_with_documents_is_what_the_model_says() {
    let catalog = format!("[envelope]\nrecords = [\"a[].b[]\", \"c\", \".\"]{FIELDS}");
    let envelope = Catalog::from_toml(&[("envelope.toml", &catalog)]).unwrap().envelope().clone();
    let wanted = Wanted { envelope: Some(envelope), ..Wanted::default() };
    let flags = Flags { wanted, ..Flags::default() };
    for pattern in [
        "{\"a\": [{\"b\": [@, @]}, {\"b\": [@ @,,]}, {}, 5, null, {\"b\": @}]}\n@\n{\"c\": @}\nnull\n\n{\"c\": 1}",
        "{\"a\": [{\"b\": [@, {\"x\": [}]}]}\n{\"a\": [{\"b\": [@]} {\"b\": [@]}]}\n@ \n",
        "{\"a\": [\n{\"b\": [@,\n@]}\n]\n}{\"a\": null}{\"a\": [{\"b\": [@,@]}], \"x\" 1}@",
        "\u{feff}\u{1e}{\"a\": [{\"b\": [@,\n\u{1e}{\"a\": [{\"b\": [@]}]}\u{1e}@\njunk {\"a\": [{\"b\": [@]}]}",
        "[{\"a\": [{\"b\": [@, junk, @]}]}, @, {\"a\": 1}, {\"a\": [{\"b\": [@}}}}]\n{\"c\": @}",
        "{\"a\": [{\"b\": [@]}]} {\"a\": [{\"b\": [@]}]}\n{\"a\": [{\"b\": [@]}]}\n",
        "{\"a\": [{\"b\": [@]}]} {\"a\": [{\"b\": [@]}]}\n\n",
    ] {
        let dir = Workdir::new();
        dir.write("envelope.toml", &catalog);
        let events = (0..).map(|number| one(&format!("event {number}")));
        let text: String =
            pattern.split('@').zip(events).map(|(part, event)| part.to_owned() + &event).collect();
        let outcome = load(&dir, &text, &["--max-bad-lines=100%"]);
        let name = dir.path("in.json").display().to_string();
        let expected = naive_model::load(&[(name, text.into_bytes())], &flags);
        let counts = ["lines", "blank", "written"].map(|name| outcome.count(name));
        assert_eq!(counts, [expected.lines, expected.blank, expected.written], "{pattern}: {outcome}");
        assert_eq!(quarantine(&dir.target()), expected.bad_lines, "{pattern}");
    }
}

#[test]
fn a_document_of_one_line_may_be_larger_than_memory() {
    let (mut text, mut lines) = ("{\"before\": {\"x\": [1]}, \"a\": [".to_owned(), String::new());
    let padding = "x".repeat(3000);
    let mut expected = Vec::new();
    for number in 0..9000 {
        let event = format!("{{\"padding\": \"{padding}\", {}", &one(&format!("event {number}"))[1..]);
        if number % 3000 == 2500 {
            expected.push(format!("malformed_json 1 {} {{\"broken\" {number}}}", text.len()));
            let _ = write!(text, "{{\"broken\" {number}}},");
        }
        let _ = writeln!(lines, "{event}");
        text += &event;
        text += if number == 8999 { "]" } else { "," };
    }
    text += ", \"behind\": 1}";
    assert!(text.len() > (16 << 20) + (8 << 20));
    let dir = Workdir::on_disk();
    envelope(&dir, "[\"a[]\", \".\"]");
    let source = dir.write("in.json", &text);
    let loader =
        || dir.loader().args(["--backfill", "--catalog=envelope.toml", "--memory=64MiB", "--threads=2"]);
    assert_peak(loader().source(source), 64, "a document of one line");
    let of_document = rows(&dir.target());
    assert_eq!(bad_lines(&dir), expected);
    loader().source(dir.write("lines.json", lines)).succeeds();
    assert_eq!(text_of(&of_document), text_of(&rows(&dir.target())));
}

#[test]
fn records_are_replayed_with_what_stood_around_them() {
    let dir = Workdir::new();
    let fields = FIELDS.replace("\"{domain}\"", "\"{^account}\"").replace("{event_type}", "{^group.name}");
    let record = |id: &str, data: &str| {
        format!("{{\"event_id\": \"{id}\",\n \"timestamp\": \"2024-10-10\", \"data\": {data}}}")
    };
    let catalog = |more: &str| {
        let text = format!("[envelope]\nrecords = \"a[].b[]\"{fields}{more}");
        dir.write("envelope.toml", text);
    };
    catalog("[domain.shop.events.sale.fields]\nid = 'int32'\n");
    let text = format!(
        "{{\"account\": \"shop\", \"a\": [{{\"group\": {{\"name\": \"sale\"}}, \"b\": [{}, {}]}}, {{\"group\": {{\"name\": \"order\"}}, \"b\": [{}]}}]}}",
        record("1", "{\"id\": 1}"),
        record("2", "{\"id\": \"x\"}"),
        record("3", "{\"id\": 3}"),
    );
    let outcome = load(&dir, &text, &[]);
    assert_eq!((outcome.count("written"), outcome.count("quarantined.total")), (1, 2), "{outcome}");
    let records = quarantine_records(&dir.target());
    assert_eq!(records[0].0["record"], true);
    assert_eq!(records[0].0["enclosing"], r#"{"account":"shop","group":{"name": "sale"}}"#);
    catalog(
        "[domain.shop.events.sale.fields]\nid = 'int32'\n[domain.shop.events.order.fields]\nid = 'int32'\n",
    );
    let replay = || {
        let replay = dir.bare_loader().arg("replay").arg(dir.target()).args(["--catalog", "envelope.toml"]);
        replay.reporting().succeeds()
    };
    let replayed = replay();
    assert_eq!((replayed.count("lines"), replayed.count("written")), (2, 1), "{replayed}");
    let left = quarantine_records(&dir.target());
    assert_eq!(left.len(), 1);
    assert_eq!(left[0], records[0], "it stays as it is");
    let orders: Vec<_> = rows(&dir.target()).into_keys().filter(|name| name.contains("order")).collect();
    assert_eq!(orders.len(), 1);
    assert_eq!(replay().count("written"), 0);
}

#[test]
fn a_document_that_was_bad_is_cut_into_its_records_when_it_is_replayed() {
    let dir = Workdir::new();
    envelope(&dir, "\"wrong[]\"");
    let text = format!("{{\"a\": [{}, 1, {}]}}\n{{\"wrong\": [{}]}}\n", one("a"), one("b"), one("c"));
    assert_eq!(load(&dir, text, &[]).count("quarantined.total"), 1);
    envelope(&dir, "\"a[]\"");
    let replay = dir.bare_loader().arg("replay").arg(dir.target()).args(["--catalog", "envelope.toml"]);
    let replayed = replay.reporting().succeeds();
    assert_eq!((replayed.count("lines"), replayed.count("written")), (3, 2), "{replayed}");
    assert_eq!(quarantine(&dir.target()).len(), 1, "a record of it is still bad, so it stays");
}
