//! Event types that a catalog does not name but stands for with `"*"`: what are their rows, where are they,
//! and which of them are refused?

use crate::support::{
    events::{account_open, file_of},
    files::tree,
    readback::{rows, text_of},
    workdir::{Loader, Outcome, Workdir},
};

fn event(id: &str, (domain, event_type): (&str, &str), data: &str) -> String {
    let id = serde_json::json!(id);
    let (domain, event_type) = (serde_json::json!(domain), serde_json::json!(event_type));
    format!(
        r#"{{"event_id": {id}, "timestamp": "2024-10-10", "domain": {domain}, "event_type": {event_type}{data}}}"#
    )
}

/// A workdir with a catalog `open.toml`, and events in `in.json`.
fn with(catalog: &str, events: &[String]) -> Workdir {
    let dir = Workdir::new();
    dir.write("open.toml", catalog);
    dir.write("in.json", file_of(events));
    dir
}

fn load(dir: &Workdir, target: &str) -> Loader {
    dir.loader_into(target).args(["-s", "in.json", "-b", "--catalog", "open.toml"])
}

#[track_caller]
fn directories(outcome: &Outcome) -> Vec<String> {
    let last = |partition: String| partition.rsplit('/').next().unwrap().replace(" created", "");
    outcome.partitions().into_iter().map(last).collect()
}

#[test]
fn data_is_one_column_of_its_text() {
    let sale = ("shop", "sale");
    let events = [
        event("1", sale, r#", "data": { "b" : [1.50, null],"a":{"b":"\u00e9"}, "a": 1 }"#),
        event("2", sale, ""),
        event("3", sale, r#", "data": null"#),
        event("4", sale, r#", "data": [ 12345678901234567890 ]"#),
        event("5", sale, r#", "data": "x""#),
        event("6", sale, r#", "data": {}"#),
    ];
    let texts =
        [r#"{"b":[1.50,null],"a":{"b":"é"},"a":1}"#, "{}", "{}", "[12345678901234567890]", "\"x\"", "{}"];
    let dir = with("[domain.shop.events.'*']", &events);
    for flags in [&[][..], &["--flatten=false"], &["--layout=hive"]] {
        let target = format!("target{}", flags.join(""));
        let outcome = load(&dir, &target).args(flags).succeeds();
        assert_eq!(
            (outcome.count("written"), outcome.report()["unknown_fields"].as_object().unwrap().len()),
            (6, 0)
        );
        let rows: Vec<_> = rows(&dir.path(&target)).into_values().flatten().collect();
        let found: Vec<_> = rows.iter().map(|row| row.last().unwrap().clone()).collect();
        assert_eq!(found, texts.map(|text| serde_json::json!(text).to_string()), "{target}");
        dir.bare_loader().arg("verify").arg(dir.path(&target)).succeeds();
    }
}

#[test]
fn they_have_the_fields_that_are_named_for_them() {
    let events = [
        event("1", ("shop", "sale"), r#", "data": {"id": 1, "pieces": "2", "colour": "red"}"#),
        event("2", ("shop", "return"), r#", "data": {"id": 2}"#),
        event("3", ("shop", "offer"), r#", "data": {"id": 3, "pieces": 1.5}"#),
        event("4", ("shop", "offer"), r#", "data": 5"#),
    ];
    let catalog = "[domain.shop.fields]\nid = 'int32'\n[domain.shop.events.return]\n\
                   [domain.shop.events.'*'.fields]\npieces = 'int64'";
    let dir = with(catalog, &events);
    let outcome = load(&dir, "target").succeeds();
    assert_eq!(directories(&outcome), ["return 1", "shop.sale 1"]);
    assert_eq!(text_of(&rows(&dir.target()))[1].rsplit(' ').take(2).collect::<Vec<_>>(), ["2", "1"]);
    assert_eq!(outcome.reasons(), [("not_an_event".to_owned(), 1), ("type_mismatch".to_owned(), 1)].into());
    assert_eq!(outcome.report()["unknown_fields"]["data.colour"], 1);
    assert_eq!(outcome.report()["coerced"]["data.pieces"], 1);

    // Fields of a domain are those of its named types.
    let json = with("[domain.shop.fields]\nid = 'int32'\n[domain.shop.events.'*']", &events);
    load(&json, "target").succeeds();
    assert!(text_of(&rows(&json.target()))[0].ends_with(r#""{\"id\":3,\"pieces\":1.5}""#));
}

/// A domain that a file names is closed; one that is only built in is not.
#[test]
fn the_domain_that_stands_for_others_leaves_out_those_that_a_file_names() {
    let events = [
        event("1", ("shop", "sale"), ""),
        event("2", ("shop", "other"), ""),
        event("3", ("account", "created"), ""),
        event("4", ("new", "*"), ""),
        account_open("5", "2024-10-10", 1),
    ];
    let dir = with("[domain.'*']\n[domain.shop.events.sale]", &events);
    let outcome = load(&dir, "target").succeeds();
    assert_eq!(directories(&outcome), ["account-open 1", "account.created 1", "new.~2A 1", "sale 1"]);
    assert_eq!(outcome.report()["unknown_events"]["shop/other"], 1);

    let opened = with("[domain.'*']\n[domain.shop.events.sale]\n[domain.shop.events.'*']", &events);
    assert_eq!(load(&opened, "target").succeeds().count("written"), 5);
    let of_shop = with("[domain.shop.events.'*']", &events);
    assert_eq!(load(&of_shop, "target").succeeds().count("written"), 3);
}

#[test]
fn any_name_has_a_directory() {
    let names = [
        ("shop", "order placed/EU"),
        ("_x", "100%"),
        ("", ""),
        ("Grüße", "../.."),
        ("a.b", "c=d"),
        ("-", "é\u{0}"),
    ];
    let events: Vec<_> = names.iter().map(|name| event("1", *name, "")).collect();
    let dir = with("[domain.'*']", &events);
    for (layout, directories_) in [
        (
            "plain",
            ["Grüße...~2F..", "a.b.c~3Dd", "shop.order~20placed~2FEU", "~2D.é~00", "~2E", "~5Fx.100~25"]
                .map(str::to_owned),
        ),
        (
            "hive",
            ["-.é%00", ".", "Grüße...%2F..", "_x.100%25", "a.b.c%3Dd", "shop.order%20placed%2FEU"]
                .map(|value| format!("event_type={value}")),
        ),
    ] {
        let load = || load(&dir, layout).args(["--layout", layout]);
        let outcome = load().succeeds();
        assert_eq!(directories(&outcome), directories_.map(|directory| format!("{directory} 1")));
        let again = load().args(["--mode", "merge"]).succeeds();
        assert_eq!((again.count("written"), again.count("redelivered")), (0, 6));
        dir.bare_loader().arg("verify").arg(dir.path(layout)).succeeds();
    }
}

/// `shop.` before it makes 255 bytes, or 256; in the layout hive, `event_type=` counts, too.
#[test]
fn a_name_that_is_too_long_for_a_directory_is_a_bad_line() {
    let long = "x".repeat(251);
    let names = [&long[..239], &long[..240], &long[..250], &long];
    let events: Vec<_> = names.iter().map(|name| event("1", ("shop", name), "")).collect();
    let dir = with("[domain.shop.events.'*']", &events);
    let plain = load(&dir, "plain").succeeds();
    assert_eq!((plain.count("written"), plain.reasons()), (3, [("unknown_event".to_owned(), 1)].into()));
    let bad = &tree(&dir.path("plain"));
    let bad = bad.iter().find(|(name, _)| name.starts_with("_quarantine/")).unwrap().1;
    assert!(String::from_utf8_lossy(bad).contains("whose directory's name has at most 255 bytes"));
    let hive = load(&dir, "hive").arg("--layout=hive").succeeds();
    assert_eq!((hive.count("written"), hive.count("quarantined.total")), (1, 3));

    // A name in the catalog makes it a good one.
    dir.write(
        "named.toml",
        format!("[domain.shop.events.'*']\n[domain.shop.events.{long}]\ndirectory = 'long'"),
    );
    let replay = dir.bare_loader().arg("replay").arg(dir.path("plain")).args(["--catalog", "named.toml"]);
    let replayed = replay.reporting().succeeds();
    assert_eq!(directories(&replayed), ["long 1"]);
}

#[test]
fn two_types_never_share_a_directory() {
    let events = [event("1", ("shop", "a.b"), ""), event("2", ("shop.a", "b"), "")];
    let dir = with("\n[domain.'*']", &events);
    for layout in ["plain", "hive"] {
        let refused = load(&dir, "target").args(["--layout", layout]).exits(2);
        refused.says(&[
            "open.toml:2: shop/a.b and shop.a/b",
            "\"shop.a.b\"",
            "name one of the two",
            "nothing was changed",
        ]);
        assert!(rows(&dir.target()).is_empty());
    }
    load(&dir, "target").args(["-D", "shop"]).succeeds();
    // One of them is in the target already.
    for mode in ["merge", "overwrite"] {
        load(&dir, "target").args(["-D", "shop.a", "--mode", mode]).exits(2).says(&["shop/a.b", "shop.a/b"]);
    }

    // With a type that has a name.
    let events = [event("1", ("shop", "sale"), ""), event("2", ("card", "paid"), "")];
    let dir = with("[domain.shop.events.'*']\n[domain.card.events.paid]\ndirectory = 'shop.sale'", &events);
    load(&dir, "target").exits(2).says(&["open.toml:1: card/paid and shop/sale", "\"shop.sale\""]);
    load(&dir, "target").args(["-e", "sale"]).succeeds();
}

#[test]
fn a_file_system_that_ignores_case_is_not_given_two_of_them() {
    let events = [event("1", ("shop", "sale"), ""), event("2", ("shop", "Sale"), "")];
    let dir = with("[domain.shop.events.'*']", &events);
    // Such a file system finds the loader's own directory under this name, too.
    fs_err::create_dir_all(dir.path("folding/_EVENTLOADER")).unwrap();
    load(&dir, "folding")
        .exits(2)
        .says(&["shop/Sale and shop/sale", "\"shop.sale\" on this file system, which ignores case"]);
    load(&dir, "folding").args(["-e", "sale"]).succeeds();
    // Nor one after the other.
    for mode in ["merge", "overwrite"] {
        load(&dir, "folding").args(["-e", "Sale", "--mode", mode]).exits(2).says(&["shop/sale", "shop/Sale"]);
    }
    if dir.path("").join("OPEN.toml").exists() {
        return; // This one does.
    }
    assert_eq!(directories(&load(&dir, "target").succeeds()), ["shop.Sale 1", "shop.sale 1"]);
}

fn many(types: usize) -> Vec<String> {
    (0..types).map(|number| event("1", ("shop", &format!("t{number}")), "")).collect()
}

#[test]
fn more_than_ten_thousand_of_them_fail_the_run() {
    let mut events = many(10_001);
    // A bad line makes no type.
    events.extend((0..100).map(|number| event("", ("shop", &format!("bad{number}")), "")));
    let dir = with("[domain.'*']", &events);
    for threads in ["1", "4"] {
        let refused = load(&dir, "target").args(["--threads", threads]).exits(1);
        refused.says(&[
            "more than 10000 event types",
            "`event_type` seems to contain data",
            "nothing was changed",
            "--event-type",
        ]);
    }
    assert!(rows(&dir.target()).is_empty());
    let check = dir.bare_loader().args(["catalog", "check", "in.json", "--catalog", "open.toml"]);
    check.exits(1).says(&["more than 10000 event types", "--domain"]);
    let selected = load(&dir, "target").args(["-e", "t10000", "-e", "bad7"]).succeeds();
    assert_eq!(
        (directories(&selected), selected.count("quarantined.total")),
        (vec!["shop.t10000 1".to_owned()], 1)
    );

    let dir = with("[domain.'*']", &many(10_000));
    let most = load(&dir, "target").args(["--dry-run", "--threads", "3"]).succeeds();
    assert_eq!((most.count("written"), most.partitions().len()), (10_000, 10_000));
}

#[test]
fn commands_on_catalogs_know_them() {
    let events = [
        event("1", ("shop", "sale"), ", \"data\": {\"id\": 1}"),
        event("2", ("shop", "offer"), ", \"data\": 1"),
        event("", ("x", "y"), ""),
    ];
    let dir =
        with("[domain.shop.events.'*']\ndescription = 'Others'\n[domain.'*'.fields]\nn = 'int32'", &events);
    let catalog = |args: &[&str]| {
        let command = dir.bare_loader().arg("catalog").args(args).args(["--catalog", "open.toml"]);
        command.succeeds().stdout
    };
    let shown = catalog(&["show"]);
    for part in [
        "shop/*, in …/shop.TYPE/\n    Others\n",
        "\n  data        string\n",
        "*/*, in …/DOMAIN.TYPE/\n",
        "\n  data_n      int32\n",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let named = catalog(&["show", "-D", "shop", "-e", "sale"]);
    assert!(named.starts_with("shop/sale, in …/shop.sale/\n    Others\n"), "{named}");
    let named = catalog(&["show", "-D", "new", "-e", "any", "--layout", "hive"]);
    assert!(named.starts_with("new/any, in …/event_type=new.any/\n"), "{named}");
    let tables = catalog(&["show", "--format", "duckdb"]);
    assert!(tables.contains("\n-- The event types of shop that the catalog does not name"), "{tables}");
    let table = catalog(&["show", "--format", "duckdb", "-e", "sale"]);
    assert!(table.starts_with("CREATE TABLE \"shop.sale\" (\n  event_id VARCHAR,"), "{table}");
    assert!(table.contains("\n  \"data\" VARCHAR\n"), "{table}");

    let check = dir.bare_loader().args(["catalog", "check", "in.json", "--catalog", "open.toml"]).run();
    for part in ["shop/sale   1 would load", "shop/offer  1 would load", "missing_event_id 1"] {
        assert!(check.stdout.contains(part), "{part} in {check}");
    }
    // An extension leaves out what loads without it, unless all types are to have names.
    let draft = catalog(&["infer", "--all", "in.json"]);
    assert!(draft.contains("[domain.shop.events.sale"), "{draft}");
}

#[test]
fn any_name_can_be_selected_where_they_may_be() {
    let events =
        [event("1", ("shop", "sale"), ""), event("2", ("shop", "offer"), ""), event("3", ("x", "y"), "")];
    let dir = with("[domain.shop.events.'*']", &events);
    let one = load(&dir, "target").args(["-e", "sale"]).succeeds();
    assert_eq!((directories(&one), one.count("filtered")), (vec!["shop.sale 1".to_owned()], 2));
    let none = load(&dir, "target").args(["-D", "shop", "-e", "none"]).succeeds();
    assert_eq!(none.count("filtered"), 3);
    load(&dir, "target").args(["-D", "x"]).exits(2).says(&[
        "--domain",
        "no domain \"x\"",
        "account, transaction, shop",
    ]);
    load(&dir, "target").args(["-D", "account", "-e", "sale"]).exits(2).says(&["no event type \"sale\""]);
}

#[test]
fn a_column_of_theirs_is_not_called_like_one_of_the_directories() {
    let catalog = "[domain.'*'.fields]\nday = { type = 'int32', column = 'day' }";
    let dir = with(catalog, &[event("1", ("shop", "sale"), ", \"data\": {\"day\": 1}")]);
    load(&dir, "hive")
        .arg("--layout=hive")
        .exits(2)
        .says(&["open.toml:2: */*: data.day would be the column \"day\""]);
    load(&dir, "plain").succeeds();
}
