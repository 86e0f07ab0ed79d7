//! Does a catalog that is extended by new events load them, and does it keep what it says?

mod orders;

use super::*;

/// An event of `shop`, with this payload.
fn event(event_type: &str, data: &str) -> String {
    of_domain("shop", event_type, data)
}

fn of_domain(domain: &str, event_type: &str, data: &str) -> String {
    let line = r#"{"event_id": "ID", "timestamp": "2024-10-10T00:00:07Z", "domain": "DOMAIN", "event_type": "TYPE", "data": DATA}"#;
    let id = format!("{:x}", xxhash_rust::xxh3::xxh3_64(format!("{domain}{event_type}{data}").as_bytes()));
    line.replace("ID", &id).replace("DOMAIN", domain).replace("TYPE", event_type).replace("DATA", data)
}

/// What a run prints on standard error has these texts.
#[track_caller]
fn assert_tells(outcome: &Outcome, texts: &[&str]) {
    for text in texts {
        assert!(outcome.stderr.contains(text), "{text:?} is missing: {outcome}");
    }
}

/// Extends `mine.toml` in place by these lines; they load with it afterwards, and it lacks nothing more.
#[track_caller]
fn extended(dir: &Workdir, lines: &[String]) -> (String, Outcome) {
    dir.write("new.json", file_of(lines));
    let before = fs_err::read_to_string(dir.path("mine.toml")).unwrap();
    let check = catalog(dir, ["infer", "new.json", "--catalog", "mine.toml", "--check"]).run();
    assert_eq!(fs_err::read_to_string(dir.path("mine.toml")).unwrap(), before, "{check}");
    let outcome = catalog(dir, ["infer", "new.json", "--catalog", "mine.toml", "-o", "mine.toml"]).succeeds();
    let after = fs_err::read_to_string(dir.path("mine.toml")).unwrap();
    assert_eq!(check.status.code(), Some(i32::from(before != after)), "{check}");
    let again = catalog(dir, ["infer", "new.json", "--catalog", "mine.toml", "--check"]).run();
    assert_eq!((again.status.code(), again.stdout.as_str()), (Some(0), ""), "{again}\n{after}");
    assert_tells(&again, &["mine.toml: no change"]);
    let load = dir.loader_into("loaded").source("new.json").args(["-b", "--catalog", "mine.toml"]).succeeds();
    assert_eq!(load.reasons(), BTreeMap::new(), "{load}\n{after}");
    (after, outcome)
}

/// A catalog that somebody keeps by hand, in all the forms that TOML has.
const MINE: &str = r#"# Kept by Ann.
[types.price]   # everywhere the same
fields = { value = "decimal(10,2)", currency = 'string' }

[domain.shop]
description = "Orders"

[domain.shop.fields]
id       = { type = "int32", required = true, column = "order_id", description = "The order" }  # Ours
customer = { fields = { name = "string" } }
"#;

const TYPES: &str = r#"
[domain.shop.events]
returned = { directory = "back", fields = { reason = 'string' } }   # inline

[domain.shop.events.placed] # the main one
directory = "orders"
fields.total = "price"
fields."paid in".fields.at = "date"   # dotted

# Comes from the warehouse.
[domain.shop.events.shipped.fields]
codes = 'list(int32)'

[domain.shop.events.shipped.fields.parcel]
description = "One of them"
[domain.shop.events.shipped.fields.parcel.fields]
weight = 'int32'   # g

# The end.
"#;

#[test]
fn what_a_catalog_says_stays_byte_for_byte_and_what_is_new_stands_at_the_end() {
    let dir = Workdir::new();
    dir.write("mine.toml", format!("{MINE}{TYPES}"));
    let lines = [
        event("returned", r#"{"id": 1, "reason": "small", "open": true}"#),
        event(
            "placed",
            r#"{"id": 3, "total": {"value": 12345678.25, "tax": 0.5}, "customer": {"name": "A", "vip": false}, "paid in": {"at": "2024-10-10T00:00:07Z", "days": 3}}"#,
        ),
        event(
            "shipped",
            r#"{"id": 4, "codes": [1, 3000000000], "parcel": {"weight": 2.5, "size": "L"}, "by": "road"}"#,
        ),
        event("lost", r#"{"id": 5, "where": "sea"}"#),
        of_domain("card", "charged", r#"{"amount": 5}"#),
    ];
    let (text, outcome) = extended(&dir, &lines);
    let expected = format!("{MINE}{TYPES}")
        .replace("decimal(10,2)\", currency = 'string'", "decimal(18,2)\", currency = 'string', tax = \"float64\"")
        .replace("name = \"string\" }", "name = \"string\", vip = \"boolean\" }")
        .replace("reason = 'string' }", "reason = 'string', open = \"boolean\" }")
        .replace(
            "fields.at = \"date\"   # dotted\n",
            "fields.at = \"timestamp\"   # dotted\nfields.\"paid in\".fields.days = \"int32\"  # always; 3\n",
        )
        .replace("'list(int32)'", "'list(int64)'")
        .replace("weight = 'int32'   # g\n", "weight = 'float64'   # g\nsize = \"string\"  # always; \"L\"\n\n[domain.shop.events.shipped.fields.by]\ntype = \"string\"  # always; \"road\"\n\n# 1 event\n[domain.shop.events.lost]\n[domain.shop.events.lost.fields]\nwhere = \"string\"  # always; \"sea\"\n")
        + "\n# 1 event\n[domain.card.events.charged]\n[domain.card.events.charged.fields]\namount = \"int32\"  # always; 5\n";
    assert_eq!(text, expected);
    assert_tells(
        &outcome,
        &[
            "mine.toml: 12 changes",
            "types.price.value: decimal(10,2) → decimal(18,2)",
            "shop/placed data.paid in.at: date → timestamp",
            "shop/shipped data.codes: list(int32) → list(int64)",
            "shop/shipped data.parcel.weight: int32 → float64",
            "shop/placed data.customer.vip: new, boolean",
            "shop/returned data.open: new, boolean",
            "shop/shipped data.by: new, string",
            "shop/lost: new, 1 event",
            "card: new, 1 event type",
            "wrote mine.toml",
        ],
    );
}

#[test]
fn a_shared_field_becomes_wider_for_the_types_that_need_it() {
    let dir = Workdir::new();
    let catalog = format!("{MINE}[domain.shop.events.a]\n\n[domain.shop.events.b]\n");
    dir.write("mine.toml", &catalog);
    let (one, _) = extended(&dir, &[event("a", r#"{"id": 3000000000}"#), event("b", r#"{"id": 7}"#)]);
    let own = "[domain.shop.events.a]\n[domain.shop.events.a.fields]\nid.column      = \"order_id\"";
    assert!(one.starts_with(MINE), "{one}");
    assert!(!one.contains(own));
    let shown = super::catalog(&dir, ["show", "--catalog", "mine.toml", "-D", "shop"]).succeeds().stdout;
    let types: Vec<_> = shown.lines().filter(|line| line.contains("order_id")).collect();
    assert!(types[0].contains("int64") && types[1].contains("int32"), "{shown}");
    assert!(types.iter().all(|line| line.contains("The order")), "{shown}");
    // Where all of them need it, it is the shared field itself.
    dir.write("mine.toml", &catalog);
    let both = [event("a", r#"{"id": 3000000000, "n": 1}"#), event("b", r#"{"id": 3000000000, "n": 2}"#)];
    let (all, outcome) = extended(&dir, &both);
    assert_tells(&outcome, &["shop/* data.id: int32 → int64", "shop/* data.n: new, int32"]);
    let shared = MINE.replace("\"int32\", required", "\"int64\", required");
    assert!(all.starts_with(&format!("{shared}n = \"int32\"")), "{all}");
}

#[test]
fn a_field_that_becomes_something_else_is_text_and_the_summary_says_so() {
    let dir = Workdir::new();
    dir.write(
        "mine.toml",
        "[domain.shop.events.t.fields]\nseen = \"timestamp\"\no.fields.a = \"int32\"  # A\no.fields.b = \"int32\"\ntags = { list = { fields = { x = \"date\" } } }\n\
         m = \"map(int32)\"\nn = \"int64\"\nany = \"json\"\n",
    );
    let line =
        r#"{"seen": 12, "o": "none", "tags": ["a", {"x": 1}], "m": {"k": [1]}, "n": "12", "any": [1]}"#;
    let (text, outcome) = extended(&dir, &[event("t", line)]);
    assert_eq!(
        text,
        "[domain.shop.events.t.fields]\nseen = \"string\"\no = \"string\"\ntags = { list = \"string\" }\nm = \"map(string)\"\nn = \"int64\"\nany = \"json\"\n"
    );
    assert_tells(
        &outcome,
        &[
            "shop/t data.seen: timestamp → string",
            "shop/t data.o: object → string; the columns of its fields go",
            "shop/t data.n stays int64; a draft would have string",
        ],
    );
}

#[test]
fn versions_and_required_fields_stay_what_they_are() {
    let dir = Workdir::new();
    let text = "[domain.shop]\nversion = \"seq\"\nfields.seq = \"int32\"\nfields.who = { type = \"string\", required = true }\n[domain.shop.events.t]\n";
    dir.write("mine.toml", text);
    let lines = [
        event("t", r#"{"seq": 3000000000, "who": "a"}"#),
        event("later", r#"{"seq": 3, "who": "b"}"#),
        event("without", r#"{"n": 1}"#),
    ];
    let (text, _) = extended(&dir, &lines);
    assert!(text.contains("[domain.shop.events.without]\nversion = []"), "{text}");
    assert!(!text.contains("[domain.shop.events.later]\nversion"), "{text}");
    // A version that is no number any more would be another version.
    dir.write("new.json", file_of([event("t", r#"{"seq": "x", "who": null}"#)]));
    let outcome = catalog(&dir, ["infer", "new.json", "--catalog", "mine.toml", "--check"]).succeeds();
    assert_tells(
        &outcome,
        &[
            "data.seq stays int64, because it is a version",
            "shop/t data.who is required, and missing in 1 of 1 event",
        ],
    );
}

#[test]
fn types_that_a_star_stands_for_are_left_to_it_or_named_with_their_directory() {
    let dir = Workdir::new();
    dir.write("mine.toml", "[domain.shop.events.\"*\"]\n\n[domain.card.fields]\nid = \"int32\"\n[domain.card.events.\"*\".fields]\nnote = \"string\"\n");
    let lines = [event("any", r#"{"a": 1}"#), of_domain("card", "x", r#"{"id": 3000000000, "b": 1}"#)];
    let (text, outcome) = extended(&dir, &lines);
    assert_eq!(
        text,
        "[domain.shop.events.\"*\"]\n\n[domain.card.fields]\nid = \"int64\"\n[domain.card.events.\"*\".fields]\nnote = \"string\"\nb = \"int32\"  # always; 1\n"
    );
    assert_tells(&outcome, &["Loaded through \"*\" as JSON (--all names them): shop/any (1 event)"]);
    let args = ["infer", "new.json", "--catalog", "mine.toml", "-o", "mine.toml", "--all"];
    assert_tells(&catalog(&dir, args).succeeds(), &["shop/any: new, 1 event"]);
    let named = fs_err::read_to_string(dir.path("mine.toml")).unwrap();
    assert!(named.contains("[domain.shop.events.any]\ndirectory = \"shop.any\"\n"), "{named}");
}

/// Only the fields that a domain's types share are beside those of a new type.
#[test]
fn fields_of_a_new_type_have_the_columns_that_they_have_in_other_types() {
    let dir = Workdir::new();
    let shared = "[domain.shop.fields]\nid = { type = \"int32\", column = \"data_n\" }\n";
    dir.write("mine.toml", format!("{shared}[domain.shop.events.one.fields]\ntotal = \"int32\"\n"));
    let (text, _) = extended(&dir, &[event("two", r#"{"id": 1, "total": 2, "n": 3}"#)]);
    assert!(text.contains("\ntotal = \"int32\"  # always; 2\n"), "{text}");
    assert!(text.contains("\nn     = { type = \"int32\", column = \"data_n_2\" }"), "{text}");
}

#[test]
fn what_is_no_field_is_told_and_a_column_has_one_field() {
    let dir = Workdir::new();
    dir.write(
        "mine.toml",
        "[domain.shop.events.t.fields]\no.fields.a = \"int32\"\nid = { type = \"int32\", column = \"data_id\" }\nID.fields.n = \"int32\"\n",
    );
    let votes: Vec<_> = (0..9).map(|day| format!("\"2024-10-0{}\": {day}", day + 1)).collect();
    let line =
        format!(r#"{{"o": {{"a": 3000000000, {}}}, "none": null, "Id": 1, "ID": "x"}}"#, votes.join(", "));
    let (text, outcome) = extended(&dir, &[event("t", &line)]);
    assert_eq!(
        text,
        "[domain.shop.events.t.fields]\no.fields.a = \"int64\"\nid = { type = \"int32\", column = \"data_id\" }\nID = { type = \"string\", column = \"data_ID_2\" }\n\
         Id = { type = \"int64\", column = \"data_Id_3\" }  # always; 1; an id: room for larger ones\n"
    );
    assert_tells(
        &outcome,
        &[
            "shop/t data.o has 9 other keys, like \"2024-10-01\": they are data, no fields",
            "shop/t data.none is always null: it is no field until it has a value",
        ],
    );
}

#[test]
fn names_in_a_summary_do_not_steer_a_terminal() {
    let dir = Workdir::new();
    dir.write("mine.toml", "[domain.shop.events.t]\n");
    let lines = [event("t", r#"{"\u001b[31mred\nline": 1, "none\u202e": null}"#), event("u", "{}")];
    let (text, outcome) = extended(&dir, &lines);
    assert_tells(
        &outcome,
        &["\\u001B[31mred\\u000Aline: new, int32", "none\\u202E is always null", "mine.toml: 2 changes"],
    );
    assert!(!text.contains(['\u{1b}', '\u{202e}']) && !outcome.stderr.contains(['\u{1b}', '\u{202e}']));
    let args = ["infer", "new.json", "--catalog", "mine.toml", "--check", "--sample-lines", "1"];
    assert_tells(&catalog(&dir, args).succeeds(), &["Only the first 1 line was read"]);
}

#[test]
fn fields_of_an_envelope_become_wider_too() {
    let dir = Workdir::new();
    let head = "[envelope]\nevent_id = \"{id}\"\ntimestamp = \"{at}\"\ndomain = \"shop\"\nevent_type = \"{kind}\"\ndata = \".\"\nversion = \"seq\"\n";
    let fields = "fields = { seq = \"int32\", who = { fields = { n = \"int32\" } }, on = \"date\" } # Ours\n\n[domain.shop.events.t]\n";
    dir.write("mine.toml", format!("{head}{fields}"));
    let line = r#"{"id": "1", "at": "2024-10-10T00:00:07Z", "kind": "t", "seq": 3000000000, "who": {"n": 2.5, "m": true}, "on": "2024-10-10T01:00:00Z", "x": 1}"#;
    let (text, outcome) = extended(&dir, &[line.to_owned()]);
    let wider = fields
        .replace("seq = \"int32\"", "seq = \"int64\"")
        .replace("{ n = \"int32\" }", "{ n = \"float64\", m = \"boolean\" }")
        .replace("\"date\"", "\"timestamp\"");
    assert_eq!(text, format!("{head}{wider}[domain.shop.events.t.fields]\nx = \"int32\"  # always; 1\n"));
    assert_tells(&outcome, &["envelope.seq: int32 → int64", "envelope.who.m: new, boolean"]);
}

#[test]
fn each_of_several_files_gets_its_own_changes_and_a_new_domain_a_file() {
    let dir = Workdir::new();
    dir.write("all/shop.toml", "[domain.shop.events.t.fields]\na = \"int32\"\n");
    dir.write("all/card.toml", "[envelope]\npreset = \"stripe\"\nevent_id = \"{event_id}\"\ntimestamp = \"{timestamp}\"\ndomain = \"{domain}\"\nevent_type = \"{event_type}\"\ndata = \"{data}\"\n[domain.card.events.charged.fields]\na = \"int32\"\n");
    let card = fs_err::read(dir.path("all/card.toml")).unwrap();
    let lines = [
        event("t", r#"{"a": 3000000000}"#),
        of_domain("card", "t2", "{}"),
        of_domain("new", "n", r#"{"x": 1}"#),
    ];
    dir.write("new.json", file_of(&lines[..1]));
    let infer = |args: &[&str]| catalog(&dir, ["infer", "new.json"]).args(args);
    infer(&["--catalog", "all"]).exits(2).says(&["2 catalog files", "--output"]);
    let outcome = infer(&["--catalog", "all", "-o", "all"]).succeeds();
    assert_tells(&outcome, &["all/card.toml: no change", "all/shop.toml: 1 change", "wrote all/shop.toml"]);
    assert_eq!(fs_err::read(dir.path("all/card.toml")).unwrap(), card);
    dir.write("new.json", file_of(&lines));
    let outcome =
        infer(&["--catalog", "all/shop.toml", "--catalog", "all/card.toml", "-o", "out"]).succeeds();
    assert_tells(&outcome, &["all/card.toml: 1 change", "new: new, 1 event type, in a file of its own"]);
    let names: Vec<_> = files::tree(&dir.path("out")).into_keys().collect();
    assert_eq!(names.len(), 3, "{names:?}");
    infer(&["--catalog", "all", "-o", "out"]).exits(1).says(&["exists", "--force"]);
    let loader = dir.loader().source("new.json").args(["-b", "--catalog", "out"]);
    assert_eq!(loader.succeeds().count("written"), 3);
}

#[test]
fn nothing_is_written_where_nothing_can_be_said() {
    let dir = Workdir::new();
    dir.write("mine.toml", "[domain.shop.events.t]\n");
    dir.write("other.toml", "mine");
    dir.write("new.json", "\n\n");
    let infer = |args: &[&str]| catalog(&dir, ["infer", "new.json"]).args(args);
    let outcome = infer(&["--catalog", "mine.toml", "-o", "mine.toml"]).succeeds();
    assert_tells(&outcome, &["mine.toml: no change"]);
    infer(&["--check"]).exits(2).says(&["--check", "--catalog"]);
    dir.write("new.json", "{}\n");
    infer(&["--catalog", "mine.toml", "-o", "mine.toml"]).exits(1).says(&["nothing to draft", "event_id"]);
    dir.write("new.json", event("t", r#"{"a": 1}"#));
    infer(&["--catalog", "mine.toml", "-o", "other.toml"]).exits(1).says(&["other.toml exists", "--force"]);
    infer(&["--catalog", "mine.toml", "-o", "other.toml", "--force"]).succeeds();
    assert_eq!(
        infer(&["--catalog", "mine.toml", "-q"]).succeeds().stdout,
        fs_err::read_to_string(dir.path("other.toml")).unwrap()
    );
    assert_eq!(fs_err::read_to_string(dir.path("mine.toml")).unwrap(), "[domain.shop.events.t]\n");
}
