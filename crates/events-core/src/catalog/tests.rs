//! What a catalog file may contain, and the errors for everything else.

use super::{value_type::EXPECTED_TYPE, *};
use crate::{partition::Layout, schema};

fn catalog(text: &str) -> Catalog {
    Catalog::from_toml(&[("x.toml", text)]).unwrap_or_else(|error| panic!("{error}\nin {text}"))
}

fn columns(event_type: &EventType) -> Vec<String> {
    schema::columns(event_type).into_iter().map(|c| format!("{} {}", c.name, c.kind)).collect()
}

#[test]
fn the_built_in_catalog_knows_two_domains_and_five_types() {
    assert_eq!(BUILT_IN.domains(), ["account", "transaction"]);
    let names: Vec<_> = BUILT_IN.event_types().iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["account-open", "account-close", "status-change", "payment-to", "payment-from"]);
}

#[test]
fn fields_nest_and_shared_ones_come_first() {
    let catalog = catalog(
        "[domain.card.fields]\nid = 'string'\nmerchant = { fields = { address = { fields = { city = 'string' } } } }\n\
         [domain.card.events.sale.fields]\nat = 'timestamp'",
    );
    let columns = columns(&catalog.event_types()[0]);
    assert_eq!(columns, ["data_id string", "data_merchant_address_city string", "data_at timestamp"]);
}

#[test]
fn a_type_s_own_field_takes_the_place_of_a_shared_one() {
    let catalog = catalog(
        "[domain.card.fields]\nid = 'string'\namount = 'decimal(10,2)'\nat = 'date'\n\
         [domain.card.events.sale]\n[domain.card.events.refund.fields]\nwhy = 'string'\namount = 'int64'",
    );
    assert_eq!(
        columns(&catalog.event_types()[0]),
        ["data_id string", "data_amount decimal(10,2)", "data_at date"]
    );
    assert_eq!(
        columns(&catalog.event_types()[1]),
        ["data_id string", "data_amount int64", "data_at date", "data_why string"]
    );
}

#[test]
fn lists_are_of_anything() {
    let catalog = catalog(
        "[domain.a.events.b.fields]\nv = 'list(string)'\nw = { list = 'int32' }\nx = { list = { type = 'list(date)' } }\n\
         y = { list = { fields = { z = 'int32', deep = { list = { fields = { q = 'json' } } } } } }\nu = { list = { list = 'date' } }",
    );
    assert_eq!(
        columns(&catalog.event_types()[0]),
        [
            "data_v list(string)",
            "data_w list(int32)",
            "data_x list(list(date))",
            "data_y list(object)",
            "data_u list(list(date))"
        ]
    );
}

#[test]
fn maps_are_of_anything_and_numbers_are_instants_of_their_unit() {
    let catalog = catalog(
        "[domain.a.events.b.fields]\nv = 'map(string)'\nw = { map = 'timestamp(s)' }\nx = { map = { type = 'list(date)' } }\n\
         y = { list = { map = { fields = { z = 'int32', deep = 'map(map(json))' } } } }\nu = 'timestamp( ns )'",
    );
    assert_eq!(
        columns(&catalog.event_types()[0]),
        [
            "data_v map(string)",
            "data_w map(timestamp(s))",
            "data_x map(list(date))",
            "data_y list(map(object))",
            "data_u timestamp(ns)"
        ]
    );
}

#[test]
fn an_object_with_a_name_is_a_type_of_its_file() {
    let catalog = catalog(
        "[types.money]\ndescription = 'An amount'\nfields = { value = { type = 'decimal(9,2)', description = 'How much' } }\n\
         [domain.a.fields]\nprice = { type = 'money', required = true, column = 'cost' }\n\
         [domain.a.events.b.fields]\nbuyer = 'person'\nothers = 'map(list(person))'\nlast = { list = 'money' }\n\
         [types.person.fields]\npaid = 'money'\nname = 'string'\n[types.unused]\nfields = { x = 'date' }",
    );
    let b = &catalog.event_types()[0];
    assert_eq!(
        columns(b),
        [
            "cost_value decimal(9,2)",
            "data_buyer_paid_value decimal(9,2)",
            "data_buyer_name string",
            "data_others map(list(object))",
            "data_last list(object)"
        ]
    );
    assert!(b.fields[0].required);
    let places: Vec<_> = schema::descriptions(b, true).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["cost_value", "data_buyer_paid_value", "data_others.paid.value", "data_last.value"]);
    // What is wrong with a field of a type is said of the line where it stands.
    let error = catalog.error_at(0, "data.buyer.paid.value", String::new());
    assert_eq!(error.line, 3);
}

#[test]
fn wrong_types_are_refused_by_line() {
    let of = |types: &str| format!("{types}\n[domain.a.events.b.fields]\nx = 'one'");
    let one = "[types.one]\nfields = { y = 'date' }";
    let two_files =
        [("x.toml", of(one)), ("y.toml", "\n[domain.a.events.c]\nfields = { x = 'one' }".to_owned())];
    let two_files = two_files.each_ref().map(|(file, text)| (*file, text.as_str()));
    let error = Catalog::from_toml(&two_files).unwrap_err().to_string();
    assert_eq!(error, format!("y.toml:3: expected {EXPECTED_TYPE}, found \"one\""));
    // But two files may have types of one name.
    let two_files = [("x.toml", of(one)), ("y.toml", of(one).replace("events.b", "events.c"))];
    Catalog::from_toml(&two_files.each_ref().map(|(file, text)| (*file, text.as_str()))).unwrap();

    let doubled = |level: usize| format!("[types.t{level}.fields]\na = 't{0}'\nb = 't{0}'\n", level + 1);
    let doubled = (0..30).map(doubled).collect::<Vec<_>>().concat();
    let chain = |level: usize| format!("[types.t{level}.fields]\na = 't{}'\n", level + 1);
    let chain = (0..130).map(chain).collect::<Vec<_>>().concat();
    let of_lists = |levels| {
        let lists = "list(".repeat(levels) + "date" + &")".repeat(levels);
        format!("[domain.a.events.b.fields]\nx = {{ fields = {{ y = '{lists}' }} }}")
    };
    catalog(&of_lists(63));
    for (text, expected) in [
        (of(""), "x.toml:3: expected string, int32"),
        (of("[types.one]"), "x.toml:1: type \"one\" has no fields: add `fields = { … }`"),
        (of("[types.one]\ntype = 'date'"), "x.toml:2: expected description, fields, found \"type\""),
        (of("[types.one]\nfields = {}"), "x.toml:2: types.one: expected at least one field"),
        (of("[types.one]\nfields = { y = 'two' }"), "x.toml:2: expected string, int32"),
        (of("[types]\none = 5"), "x.toml:2: expected a table, found integer"),
        (
            of("[types.list]\nfields = { y = 'date' }"),
            "x.toml:1: \"list\" is the name of a built-in type: choose another",
        ),
        (
            of("[types.timestamp]\nfields = { y = 'date' }"),
            "x.toml:1: \"timestamp\" is the name of a built-in type: choose another",
        ),
        (
            of("[types.'timestamp(s)']\nfields = { y = 'date' }"),
            "x.toml:1: \"timestamp(s)\" is no name for a type: use letters, digits",
        ),
        (
            of("[types.one]\nfields = { y = 'one' }"),
            "x.toml:2: type \"one\" contains itself (one → one): make the inner one a \"json\"",
        ),
        (
            of("[types.one.fields]\ny = 'list(two)'\n[types.two.fields]\nz = { map = 'one' }"),
            "x.toml:4: type \"one\" contains itself (one → two → one): make",
        ),
        (
            format!("{doubled}[types.t30.fields]\na = 'date'\n[domain.a.events.b.fields]\nx = 'string'"),
            "x.toml:92: the file's [types] come to more than 250000 fields",
        ),
        (of_lists(64), "x.toml:2: it is more than 64 levels deep"),
        (
            format!("{chain}[types.t130.fields]\na = 'date'\n[domain.a.events.b.fields]\nx = 'string'"),
            "x.toml:128: it is more than 64 levels deep: make what is below them a \"json\"",
        ),
    ] {
        let error = Catalog::from_toml(&[("x.toml", &text)]).expect_err(&text).to_string();
        assert!(error.starts_with(expected), "{text}\n  gave {error}\n  not  {expected}");
    }
}

#[test]
fn a_field_may_be_required_renamed_and_described() {
    let catalog = catalog(
        "[domain.a.events.b]\ndescription = 'B'\n[domain.a.events.b.fields]\n\
         v = { type = 'string', required = true, column = 'the_v', description = 'V' }\nw = 'date'",
    );
    let b = &catalog.event_types()[0];
    assert_eq!((b.description.as_deref(), b.fields[0].description.as_deref()), (Some("B"), Some("V")));
    assert_eq!((b.fields[0].required, b.fields[1].required), (true, false));
    assert_eq!(columns(b), ["the_v string", "data_w date"]);
}

#[test]
fn a_type_may_name_another_directory() {
    let catalog = catalog("[domain.a.events.open]\n[domain.b.events.open]\ndirectory = 'b-open'");
    assert_eq!(catalog.event_types()[1].directory, "b-open");
    let layout = |layout: Layout| layout.directory(&catalog.event_types()[1]).into_owned();
    assert_eq!(
        [Layout::Plain, Layout::HiveWithEventType, Layout::Hive, Layout::Delta].map(layout),
        ["b-open", "b-open", "open", "b-open"]
    );
}

#[test]
fn a_second_catalog_adds_and_replaces() {
    let first = catalog("[domain.a.events.open.fields]\nx = 'int32'\n[domain.a.events.close]");
    let second = "[domain.a.events.open.fields]\ny = 'date'\n[domain.b.events.shut]";
    let extended = first.extended(&[("y.toml", second)]).unwrap();
    let names: Vec<_> = extended.event_types().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a/open", "a/close", "b/shut"]);
    assert_eq!(columns(&extended.event_types()[0]), ["data_y date"]);
}

#[test]
fn what_two_files_say_of_one_thing_is_refused_with_both_places() {
    let error = |files: &[(&str, &str)]| BUILT_IN.extended(files).unwrap_err().to_string();
    assert_eq!(
        error(&[("x.toml", "[domain.a.events.open]"), ("y.toml", "\n\n[domain.a.events.open]")]),
        "y.toml:3: a/open is defined twice, here and at x.toml:1: remove one of the two"
    );
    assert_eq!(
        error(&[("x.toml", "[domain.a.events.open]"), ("y.toml", "[domain.b.events.open]")]),
        "y.toml:1: b/open and a/open (x.toml:1) would share the directory \"open\": give one of them another with \
         `directory = \"…\"`"
    );
    let shared = "x.toml:1: b/account-open and account/account-open (built in) would share the directory";
    assert!(error(&[("x.toml", "[domain.b.events.account-open]")]).starts_with(shared));
    // The replaced type moves to a directory that a later one of the built-in catalog has.
    let moved = "[domain.account.events.account-open]\ndirectory = 'payment-to'";
    let shared = "x.toml:1: account/account-open and transaction/payment-to (built in) would share";
    assert!(error(&[("x.toml", moved)]).starts_with(shared));
}

#[test]
fn errors_name_the_line_and_what_is_allowed() {
    let head = "[domain.card.events.sale.fields]\n";
    let of_field = |field: &str| format!("{head}{field}");
    for (text, expected) in [
        ("x = ".to_owned(), "x.toml:1: "),
        (String::new(), "x.toml:1: the file has no event types: add [domain.NAME.events.TYPE]"),
        ("[domains.card]".to_owned(), "x.toml:1: expected domain, envelope, types, found \"domains\""),
        (
            "[domain.card]\n".to_owned(),
            "x.toml:1: domain \"card\" has no event types: add [domain.card.events.NAME]",
        ),
        ("\n[domain.card]\ndescription = 5".to_owned(), "x.toml:3: expected a string, found integer"),
        (of_field("id = 'int'"), &format!("x.toml:2: expected {EXPECTED_TYPE}, found \"int\"")),
        (of_field("id = 'decimal(39,2)'"), "x.toml:2: expected string, int32"),
        (of_field("id = 'list(strings)'"), "x.toml:2: expected string, int32"),
        (of_field("id = 5"), "x.toml:2: expected a table, found integer"),
        (
            of_field("id = { typ = 'int32' }"),
            "x.toml:2: expected type, fields, list, map, column, required, description, found \"typ\"",
        ),
        (
            of_field("id = {}"),
            "x.toml:2: data.id: expected one of `type = \"…\"`, `fields = { … }`, `list = …` and `map = …`, found none",
        ),
        (
            of_field("\nid = { type = 'date', list = 'date' }"),
            "x.toml:3: data.id: expected one of `type = \"…\"`, `fields = { … }`, `list = …` and `map = …`, found more than one",
        ),
        (
            of_field("id = { list = { column = 'x' } }"),
            "x.toml:2: expected type, fields, list, map, found \"column\"",
        ),
        (
            of_field("id = { fields = {} }"),
            "x.toml:2: data.id: expected at least one field; an object of any shape is a \"json\"",
        ),
        (of_field("id = { list = { fields = {} } }"), "x.toml:2: data.id: expected at least one field"),
        (
            of_field("id = { type = 'date', required = 'yes' }"),
            "x.toml:2: expected true or false, found string",
        ),
        (
            of_field("id = { type = 'date', column = '' }"),
            "x.toml:2: \"\" is not a safe column name: use letters, digits",
        ),
        (of_field("id = { type = 'date', column = 'a.b' }"), "x.toml:2: \"a.b\" is not a safe column name"),
        (of_field("id = { type = 'date', column = '1st' }"), "x.toml:2: \"1st\" is not a safe column name"),
        (
            of_field("a_b = 'int32'\na = { fields = { b = 'int32' } }"),
            "x.toml:3: card/sale: data.a_b and data.a.b would share the column \"data_a_b\": name one of the fields with `column = \"…\"`",
        ),
        (
            of_field("a = 'int32'\nb = 'date'\nA = 'int32'"),
            "x.toml:4: card/sale: data.a and data.A would share the column \"data_A\"",
        ),
        (
            of_field("id = { type = 'string', column = 'Event_ID' }"),
            "x.toml:2: card/sale: the event's own event_id and data.id would share the column \"Event_ID\"",
        ),
        (
            of_field("x = 'date'\nid = { type = 'string', column = 'x' }"),
            "x.toml:3: card/sale: the fields data.x and data.id would share the name \"x\" in their object",
        ),
        (
            of_field("x = { list = { fields = {\n  a = 'date',\n  b = { type = 'date', column = 'A' } } } }"),
            "x.toml:4: card/sale: the fields data.x.a and data.x.b would share the name \"A\" in their object",
        ),
        (
            format!("[domain.a.events.'{}']", "/".repeat(86)),
            "x.toml:1: the event type's name would be the name of a directory of 258 bytes",
        ),
        (
            "[domain.a.events.'']".to_owned(),
            "x.toml:1: the event type's name would be the name of a directory of 0",
        ),
        ("[domain.a.events.x]\ndirectory = '_x'".to_owned(), "x.toml:2: \"_x\" is not a safe directory name"),
        (
            "[domain.a.events.x]\ndirectory = 'a/b'".to_owned(),
            "x.toml:2: \"a/b\" is not a safe directory name",
        ),
        (
            "[domain.a.events.'a b']\n[domain.b.events.'a b']".to_owned(),
            "x.toml:2: b/a b and a/a b (x.toml:1) would share the directory \"a~20b\"",
        ),
    ] {
        let error = Catalog::from_toml(&[("x.toml", &text)]).expect_err(&text).to_string();
        assert!(error.starts_with(expected), "{text}\n  gave {error}\n  not  {expected}");
    }
}

#[test]
fn the_ledger_s_types_replace_the_built_in_ones() {
    let catalog = BUILT_IN.extended(&[("ledger.toml", LEDGER)]).unwrap();
    let account = "data_id int32, data_old_status string, data_new_status string, data_reason string, data_channel string";
    let open =
        format!("{account}, data_currency string, data_holder_name string, data_holder_country string");
    let payment = "data_id string, data_to int32, data_from int32, data_amount decimal(18,3), data_currency string, \
                   data_balance decimal(18,3), data_channel string, data_merchant_name string, data_merchant_category int32, \
                   data_merchant_city string, data_merchant_country string";
    let tables: Vec<_> =
        catalog.event_types().iter().map(|t| (t.name.as_str(), columns(t).join(", "))).collect();
    let expected = [
        ("account-open", &*open),
        ("account-close", account),
        ("status-change", account),
        ("payment-to", payment),
        ("payment-from", payment),
    ];
    assert_eq!(tables, expected.map(|(name, columns)| (name, columns.to_owned())));
    let mut described = catalog.event_types().iter().flat_map(|t| schema::descriptions(t, false));
    assert!(described.all(|(_, description)| !description.is_empty()));
    assert!(catalog.event_types().iter().all(|event_type| event_type.description.is_some()));
}

#[test]
fn in_an_envelope_a_built_in_type_gives_way_to_one_with_its_directory() {
    let types = "[domain.stripe.events.account-open.fields]\nid = 'string'";
    let error = BUILT_IN.extended(&[("s.toml", types)]).unwrap_err();
    assert!(error.message.contains("would share the directory \"account-open\""), "{error}");
    let in_envelope = format!("[envelope]\npreset = 'stripe'\n{types}");
    let catalog = BUILT_IN.extended(&[("s.toml", &in_envelope)]).unwrap();
    let names: Vec<_> = catalog.event_types().iter().map(ToString::to_string).collect();
    assert!(names.contains(&"stripe/account-open".to_owned()), "{names:?}");
    assert!(!names.contains(&"account/account-open".to_owned()), "{names:?}");
    assert!(names.contains(&"account/account-close".to_owned()), "{names:?}");
}

#[test]
fn an_asterisk_stands_for_types_that_are_not_named() {
    let text = "[domain.shop.fields]\nid = 'int32'\n[domain.shop.events.sale]\n[domain.shop.events.'*']\n\
                [domain.card.fields]\nid = 'int32'\n[domain.card.events.'*'.fields]\nat = 'date'\n\
                [domain.bank.events.open]\n[domain.'*']\ndescription = 'Others'\nfields.n = 'int64'";
    let catalog = BUILT_IN.extended(&[("x.toml", text)]).unwrap();
    assert!(catalog.event_types().iter().all(|event_type| event_type.name != OTHERS));
    assert_eq!(catalog.domains(), ["account", "transaction", "shop", "bank", "card"]);
    let resolved = |domain: &str, name: &str| {
        let event_type = catalog.event_type(domain, name)?;
        Some((event_type.directory.clone(), columns(&event_type).join(", ")))
    };
    let of = |directory: &str, columns: &str| Some((directory.to_owned(), columns.to_owned()));
    assert_eq!(resolved("shop", "sale"), of("sale", "data_id int32"));
    assert_eq!(resolved("shop", "other"), of("shop.other", "data json"));
    assert_eq!(resolved("card", "a b"), of("card.a~20b", "data_id int32, data_at date"));
    assert_eq!(resolved("new", "other"), of("new.other", "data_n int64"));
    assert_eq!(resolved("account", "other"), of("account.other", "data_n int64"), "only built in");
    assert_eq!(resolved("bank", "other"), None, "a domain that the file names");
    let of_hive = catalog.event_type("_new", "a b").unwrap();
    assert_eq!(Layout::Hive.directory(&of_hive), "_new.a%20b");
    assert_eq!(Layout::HiveWithEventType.directory(&of_hive), "~5Fnew.a~20b");
    // At the top of a target, `_` is ours.
    assert_eq!(Layout::Delta.directory(&of_hive), "~5Fnew.a~20b");
}

#[test]
fn what_an_asterisk_says_is_part_of_the_meaning_and_can_be_replaced() {
    let meaning = |text: &str| BUILT_IN.extended(&[("x.toml", text)]).unwrap().meaning();
    let of_all = meaning("[domain.'*']");
    assert_eq!(of_all, meaning("[domain.'*'.events.'*']\ndescription = 'Any'"));
    for other in [
        "[domain.a.events.'*']",
        "[domain.'*'.events.'*'.fields]",
        "[domain.'*']\nfields.n = 'int32'",
        "[domain.'*']\n[domain.account.events.account-open.fields]\nid = 'int32'\nold_status = 'string'\n\
         new_status = 'string'\nreason = 'string'",
    ] {
        assert_ne!(of_all, meaning(other), "{other}");
    }
    let twice = [("x.toml", "[domain.a.events.'*']"), ("y.toml", "[domain.a.events.'*']")];
    let error = BUILT_IN.extended(&twice).unwrap_err().to_string();
    assert!(error.starts_with("y.toml:1: a/* is defined twice, here and at x.toml:1"), "{error}");
    for (text, expected) in [
        ("[domain.'*'.events.sale]", "x.toml:1: expected *, found \"sale\""),
        ("[domain.a.events.'*']\ndirectory = 'x'", "x.toml:2: expected description, version, fields, found"),
        ("[domain.a.events.'*'.fields]\nx = 'int'", "x.toml:2: expected string"),
        ("[domain.'*']\nversion = 'n'", "x.toml:2: version of */*: expected fields of its `data`"),
    ] {
        let error = BUILT_IN.extended(&[("x.toml", text)]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}
