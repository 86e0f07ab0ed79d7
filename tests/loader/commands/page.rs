//! `list --html`: are the numbers of the page those of the target, is nothing in it taken for HTML, and is it
//! written where it was asked for and nowhere else? `scripts/page.sh` looks at pages in a browser.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use crate::support::{
    events::{account_open, event, file_of, plain_events},
    files::{assert_same_tree, tree},
    workdir::{Loader, Workdir},
};

const OPEN_CATALOG: &str = "[domain.shop.events.\"*\"]\n[domain.account.events.\"*\"]\n";

fn list(dir: &Workdir, target: &str) -> Loader {
    dir.bare_loader().arg("list").arg(dir.path(target))
}

fn page(dir: &Workdir, target: &str) -> String {
    list(dir, target).args(["--html", "-"]).succeeds().stdout
}

/// The texts of a page, in order, without tags.
fn texts(page: &str) -> Vec<String> {
    let body = page.split_once("<body>").unwrap().1;
    let parts = body.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.trim());
    let entities = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    let plain =
        |text: &str| entities.iter().fold(text.to_owned(), |text, (entity, is)| text.replace(entity, is));
    parts.filter(|text| !text.is_empty()).map(plain).collect()
}

/// The texts behind this one.
#[track_caller]
fn behind<'t>(texts: &'t [String], head: &str, count: usize) -> &'t [String] {
    let place = texts.iter().position(|text| text == head);
    let place = place.unwrap_or_else(|| panic!("{head:?} is not among {texts:#?}"));
    &texts[place + 1..place + 1 + count]
}

/// The number in the cell with this id.
#[track_caller]
fn cell<'p>(page: &'p str, id: &str) -> &'p str {
    let cell =
        page.split_once(&format!("id=\"{id}\">")).unwrap_or_else(|| panic!("no cell {id} in {page}")).1;
    cell.split('<').next().unwrap()
}

/// A shop whose event types, sources and bad lines are made to be taken for HTML.
fn hostile() -> Workdir {
    let dir = Workdir::new();
    dir.write("catalog.toml", OPEN_CATALOG);
    let names = [
        "</td></table><script>alert(1)</script>",
        "\" onmouseover=\"alert(2)",
        "'><img src=x onerror=alert(3)>",
        "<!-- {{ 7*7 }} {% raw %}",
        "\u{202e}gpj.exe\u{200b}\u{2066}",
        "\u{1b}]0;title\u{7}\r\n\u{85}",
        "&amp;&#60;b&#62;",
        "long-",
    ];
    let long = "W".repeat(200);
    let lines = names.iter().zip(1..).map(|(name, number)| {
        let name = if *name == "long-" { format!("long-{long}") } else { (*name).to_owned() };
        json!({"event_id": number.to_string(), "timestamp": "2024-10-10T00:00:00Z", "domain": "shop",
               "event_type": name, "data": {}})
        .to_string()
    });
    let bad = [
        "</code></pre></body></html><script>alert(4)</script>".to_owned(),
        format!("{{\"event_id\": \"{}\"", "V".repeat(100_000)),
        "{\"event_id\": \"x\", \"timestamp\": \"\u{202e}<b>\", \"domain\": \"shop\", \"event_type\": \"y\", \"data\": {}}"
            .to_owned(),
    ];
    dir.write("in/<i>&\"'\u{202e}.json", file_of(lines.chain(bad)));
    dir.loader().source("in").args(["--backfill", "--catalog", "catalog.toml"]).succeeds();
    dir
}

#[test]
fn nothing_of_the_data_is_taken_for_html() {
    let dir = hostile();
    let page = page(&dir, "target");
    assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"), "{page}");
    for tag in ["<script", "<img", "<b>", "<i>", "<!--", "</body></html><", "onmouseover=\"", "&amp;"] {
        let shown = page.replace("<b>All months</b>", "");
        let shown = shown.replace("<b>October 2024</b>", "").replace("<b>▼</b>", "");
        let shown = shown.replace("<b>▲</b>", "").replace("<b>–</b>", "").replace("<i>Thu</i>", "");
        assert!(!shown.contains(tag), "{tag:?} is in the page");
    }
    let unseen = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(page.chars().find(unseen), None);
    assert!(!page.contains(&"V".repeat(300)), "a long line is cut");
    let texts = texts(&page);
    for text in [
        "</td></table><script>alert(1)</script>",
        "\" onmouseover=\"alert(2)",
        "'><img src=x onerror=alert(3)>",
        "<!-- {{ 7*7 }} {% raw %}",
        "\\u202Egpj.exe\\u200B\\u2066",
        "\\u001B]0;title\\u0007\\u000D\\u000A\\u0085",
        "&amp;&#60;b&#62;",
        "</code></pre></body></html><script>alert(4)</script>",
    ] {
        // One that came escaped is escaped once more.
        let expected = text.replace("&#60;", "<").replace("&#62;", ">");
        assert!(
            texts.contains(&expected) || texts.contains(&text.to_owned()),
            "{text:?} is shown as it is: {texts:#?}"
        );
    }
    // The policy forbids what escaping would have let through.
    assert!(page.contains("content=\"default-src 'none'; style-src 'sha256-"), "{page}");
    let heads: Vec<_> = texts.iter().filter(|text| text.starts_with("long-W")).map(String::len).collect();
    assert!(
        heads.contains(&205) && heads.iter().any(|length| *length < 60),
        "whole once, else cut: {heads:?}"
    );
}

#[test]
fn the_numbers_are_those_of_the_target() {
    for form in [&["--layout=plain"][..], &["--layout=hive", "--partition-by=hour"], &["--table=delta"]] {
        let dir = Workdir::new();
        let first = [
            file_of(plain_events(1, 200, 864)),
            // A second time, and with another content.
            file_of([
                account_open("a", "2024-10-12T12:00:00", 1),
                account_open("a", "2024-10-12T12:00:00", 1),
            ]),
            file_of([
                account_open("b", "2024-10-12T12:00:00", 1),
                account_open("b", "2024-10-12T13:00:00", 2),
            ]),
            "bad\n{}\nbad\n\n".to_owned(),
        ];
        dir.write("1.json", first.concat());
        dir.write("2.json", account_open("b", "2024-10-14T00:00:00", 3));
        for source in ["1.json", "2.json"] {
            dir.loader().source(source).args(["--backfill", "--mode=merge"]).args(form).succeeds();
        }
        let before = tree(&dir.target());
        let page = page(&dir, "target");
        assert_same_tree(&before, &tree(&dir.target()), "a page changes nothing");
        let texts = texts(&page);
        let listed = list(&dir, "target").arg("--json").succeeds().stdout;
        let loads: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let sum = |key: &str| loads.iter().map(|load| load[key].as_u64().unwrap()).sum::<u64>().to_string();
        assert_eq!(behind(&texts, "lines read", 2), [sum("lines"), "by 2 commits".to_owned()], "{form:?}");
        for (id, key) in [
            ("redelivered", "redelivered"),
            ("corrected", "corrected"),
            ("existing-superseded", "held_superseded"),
        ] {
            assert_eq!((cell(&page, id), &*sum(key)), ("1", "1"), "{id}, {form:?}");
        }
        // Bad lines by reason, the most frequent first.
        assert_eq!(behind(&texts, "malformed_json", 1), ["2 lines · 66.6 %"], "{texts:#?}");
        let verified = dir.bare_loader().args(["verify", "target"]).succeeds().stderr;
        let rows = verified.split_whitespace().next().unwrap().to_owned();
        assert_eq!(behind(&texts, "rows", 1)[0], rows, "{form:?}");
        // The sum over all event types, and that of the days, of which one lacks.
        assert_eq!(behind(&texts, "October 2024", 1)[0].split(' ').next(), Some(&*rows), "{form:?}");
        assert!(texts.contains(&"2024-10-13: no rows".to_owned()), "{form:?}: {texts:#?}");
    }
}

#[test]
fn what_old_loads_did_not_record_is_said() {
    let dir = Workdir::new();
    let line = account_open("a", "2024-10-10T00:00:00", 1);
    dir.write("a.json", file_of([&line, &line, &line]));
    dir.loader().source("a.json").arg("--backfill").succeeds();
    assert_eq!(cell(&page(&dir, "target"), "redelivered"), "2");
    let record = dir.path("target/_eventloader/commit-000001.json");
    let mut commit: Value = serde_json::from_slice(&fs_err::read(&record).unwrap()).unwrap();
    assert_eq!(commit["load"]["superseded"], json!({"redelivered": 2, "corrected": 0, "held_superseded": 0}));
    commit["load"].as_object_mut().unwrap().remove("superseded");
    fs_err::write(&record, commit.to_string()).unwrap();
    let page = page(&dir, "target");
    assert_eq!((cell(&page, "of-unknown-kind"), cell(&page, "redelivered")), ("2", "0"));
    let listed = list(&dir, "target").arg("--json").succeeds().stdout;
    assert!(!listed.contains("redelivered") && listed.contains("\"superseded\":2"), "{listed}");
    // A target of version 0.1.0.
    fs_err::create_dir_all(dir.path("old")).unwrap();
    let old = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/loader/data/targets-0.1.0/folded");
    let made = dir.bare_loader().args(["list", old, "--html", "-"]).succeeds();
    assert!(made.stdout.contains("Earlier loads"), "{made}");
}

#[test]
fn a_page_is_written_where_it_is_asked_for() {
    let dir = Workdir::new();
    dir.write("a.json", account_open("a", "2024-10-10T00:00:00", 1));
    dir.loader().source("a.json").arg("--backfill").succeeds();
    let printed = page(&dir, "target");
    let is_page = |text: &str| text.lines().count() == printed.lines().count() && text.ends_with("</html>\n");
    assert!(is_page(&printed));
    assert!(is_page(&list(&dir, "target").args(["--html", "/dev/stdout"]).succeeds().stdout));
    // A new file, one that is there, one behind a link; beside the partitions, hidden from readers.
    dir.write("old.html", "old");
    fs_err::set_permissions(dir.path("old.html"), Permissions::from_mode(0o640)).unwrap();
    dir.write("elsewhere/real.html", "old");
    fs_err::os::unix::fs::symlink(dir.path("elsewhere/real.html"), dir.path("link.html")).unwrap();
    for file in ["new.html", "old.html", "link.html", "target/_page.html"] {
        let outcome = list(&dir, "target").args(["--html", file]).succeeds();
        assert_eq!((&*outcome.stdout, &*outcome.stderr), ("", ""));
        assert!(is_page(&fs_err::read_to_string(dir.path(file)).unwrap()), "{file}");
    }
    assert!(dir.path("link.html").is_symlink());
    assert_eq!(fs_err::metadata(dir.path("old.html")).unwrap().permissions().mode() & 0o777, 0o640);
    let left = fs_err::read_dir(dir.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with('.')), "a scratch file is left");
}

#[test]
fn a_page_is_not_written_among_the_data() {
    let dir = Workdir::new();
    dir.write("a.json", file_of([&*account_open("a", "2024-10-10T00:00:00", 1), "bad"]));
    dir.loader().source("a.json").arg("--backfill").succeeds();
    fs_err::os::unix::fs::symlink(dir.target(), dir.path("link")).unwrap();
    let before = tree(&dir.target());
    for file in [
        "target/page.html",
        "target/2024/page.html",
        "target/2024/10/10/account-open/page.html",
        "target/_quarantine/page.html",
        "target/_eventloader/page.html",
        "target/2024/10/10/account-open/part-00000.zstd.parquet",
        "link/page.html",
        "link/2024/../page.html",
    ] {
        let outcome = list(&dir, "target").args(["--html", file]).exits(2);
        outcome.says(&[
            "--html: ",
            file,
            "is inside the target",
            "nothing was changed",
            "choose another file",
        ]);
    }
    // What can't be written, and what can't be read.
    list(&dir, "target")
        .args(["--html", "nowhere/page.html"])
        .exits(1)
        .says(&["writing the page", "nowhere/page.html"]);
    list(&dir, "target").args(["--html", "target/2024"]).exits(2).says(&["is inside the target"]);
    list(&dir, "none").args(["--html", "page.html"]).exits(1).says(&["no load has ever written there"]);
    list(&dir, "target").args(["--html", "page.html", "--json"]).exits(2).says(&["--html", "--json"]);
    assert_same_tree(&before, &tree(&dir.target()), "after pages that were refused");
    assert!(!dir.path("page.html").exists());
}

/// 300 event types: the smallest are one column, and no row is lost.
#[test]
fn many_event_types_are_counted_if_not_told_apart() {
    let dir = Workdir::new();
    dir.write("catalog.toml", OPEN_CATALOG);
    let copies = (0..300).flat_map(|kind| (0..=kind % 7).map(move |copy| (kind, copy)));
    let line = |(kind, copy)| {
        let line = event(&format!("{kind}-{copy}"), "2024-10-10T00:00:00", "account-open", "{}");
        line.replace("account-open", &format!("type-{kind}"))
    };
    let lines: Vec<_> = copies.map(line).collect();
    dir.write("a.json", file_of(&lines));
    dir.loader().source("a.json").args(["--backfill", "--catalog", "catalog.toml"]).succeeds();
    let texts = texts(&page(&dir, "target"));
    let rows = format!("{},{:03}", lines.len() / 1_000, lines.len() % 1_000);
    assert!(texts.contains(&"101 other types".to_owned()), "{texts:#?}");
    assert_eq!(behind(&texts, "rows", 1), [&*rows]);
    assert_eq!(behind(&texts, "October 2024", 1), [format!("{rows} rows on 1 day")]);
}
