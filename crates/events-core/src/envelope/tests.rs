//! Envelopes as catalogs have them.

use super::*;
use crate::{catalog::Catalog, schema};

fn envelope(text: &str) -> Result<Envelope, String> {
    let catalog = Catalog::from_toml(&[("x.toml", text)]).map_err(|error| error.to_string())?;
    Ok(catalog.envelope().clone())
}

#[test]
fn every_preset_is_read_and_differs_from_the_others() {
    let mut meanings = Vec::new();
    for (name, _) in PRESETS {
        let envelope = preset(name).unwrap().unwrap();
        assert!(!envelope.is_base());
        assert!(!meanings.contains(&envelope.meaning()), "{name}");
        meanings.push(envelope.meaning());
        // As a catalog says it.
        assert_eq!(super::tests::envelope(&format!("[envelope]\npreset = {name:?}")), Ok(envelope));
    }
    assert_eq!(preset("striped"), Ok(None));
}

#[test]
fn an_envelope_can_be_kept_as_a_catalog_that_says_the_same() {
    let own = "# Ours.\n[envelope.timestamp]\nfrom = '{at}' # since 1970\nunit = 'ms'\n[envelope]\n\
               event_id = ['{a.\"b\\\\\"}', '{c}']\ndomain = \"\\u0007 d\"\nevent_type = 't'\ndata = '.'\n\
               fields.buyer = { type = 'list(buyer)', required = true }\nfields.n.type = 'decimal(10,2)'\n\
               [types.buyer.fields]\n\"full \\\"name\\\"\" = 'string'\n[domain.x.events.y]\n";
    let texts = PRESETS
        .map(|(_, text)| text)
        .into_iter()
        .chain([own, "[envelope]\npreset = 'stripe'\nversion = 'v'\nfields.v = 'int64'\n"]);
    for text in texts {
        let read = envelope(text).unwrap();
        let kept = envelope(&read.toml).unwrap_or_else(|error| panic!("{error}\n{}", read.toml));
        assert_eq!((kept.meaning(), &kept.toml), (read.meaning(), &read.toml));
        assert_eq!(kept, read);
    }
}

#[test]
fn the_keys_of_a_table_override_those_of_its_preset() {
    let stripe = preset("stripe").unwrap().unwrap();
    let mine =
        envelope("[envelope]\ndomain = 'shop'\npreset = 'stripe'\nfields = { account = 'string' }").unwrap();
    let domain = Template { pieces: vec![Piece::Literal("shop".to_owned())] };
    assert_eq!((&mine.domain, &mine.event_id), (&domain, &stripe.event_id));
    assert_eq!(mine.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["account"]);
    assert_ne!(mine.meaning(), stripe.meaning());
    assert_eq!((stripe.preset_name(), mine.preset_name(), BASE.preset_name()), (Some("stripe"), None, None));
}

#[test]
fn what_is_no_envelope_is_refused_with_the_line() {
    let whole = |line: &str| {
        format!(
            "[envelope]\nevent_id = '{{i}}'\ntimestamp = '{{t}}'\ndomain = 'd'\nevent_type = 'e'\ndata = '.'\n{line}"
        )
    };
    assert!(envelope(&whole("")).is_ok());
    for (text, expected) in [
        (
            "[envelope]".to_owned(),
            "x.toml:1: the envelope has no event_id: add `event_id = \"…\"`, or a `preset`",
        ),
        (
            whole("id = 'x'"),
            "x.toml:7: expected preset, records, event_id, timestamp, domain, event_type, data, fields, version, found \"id\"",
        ),
        (whole("preset = 'mine'"), "x.toml:7: expected one of cloudevents, segment,"),
        (whole("records = []"), "x.toml:7: expected a string or a list of strings, found array"),
        (whole("records = ['a[]', 'b..c']"), "x.toml:7: \"b..c\" is no path to records: expected keys"),
        (whole("fields = { x = 'text' }"), "x.toml:7: expected string, int32"),
        (whole("fields = { Domain = 'string' }"), "x.toml:7: Domain: an event has a \"Domain\" of its own"),
        (whole("fields = { data = { fields = { a = 'string' } } }"), "x.toml:7: data: an event has"),
        ("[envelope]\nevent_id = 'x'".to_owned(), "x.toml:2: expected a path like \"{id}\", found \"x\""),
        ("[envelope]\nevent_id = ['x']".to_owned(), "x.toml:2: the same id for every event"),
        (
            "[envelope]\nevent_id = ['{@hash}', '{a}']".to_owned(),
            "x.toml:2: `{@hash}` is an event_id by itself",
        ),
        ("[envelope]\nevent_type = '{a'".to_owned(), "x.toml:2: \"{a\": a `{` has no `}`"),
        ("[envelope]\ndata = '{a}{b}'".to_owned(), "x.toml:2: expected one path like \"{data}\", or \".\""),
        (
            "[envelope]\ntimestamp = { from = '{a}', unit = 'min' }".to_owned(),
            "x.toml:2: expected s, ms, us or ns, found \"min\"",
        ),
        ("[envelope]\ntimestamp = { unit = 's' }".to_owned(), "x.toml:2: expected `from = \"…\"`"),
    ] {
        let error = envelope(&text).unwrap_err();
        assert!(error.starts_with(expected), "{text}\n  gave {error}\n  not  {expected}");
    }
}

#[test]
fn two_envelopes_that_differ_are_refused_and_two_that_agree_are_one() {
    let files = |second: &'static str| {
        Catalog::from_toml(&[("a.toml", "[envelope]\npreset = 'stripe'"), ("b.toml", second)])
    };
    assert!(files("[domain.a.events.b]\n[envelope]\npreset = 'stripe'").is_ok());
    assert_eq!(
        files("[domain.a.events.b]\n[envelope]\npreset = 'segment'").unwrap_err().to_string(),
        "b.toml:2: the envelope differs from that of a.toml:1: a run has one"
    );
    let catalog = files("[domain.a.events.b]").unwrap();
    let segment = preset("segment").unwrap().unwrap();
    let error = catalog.with_envelope("segment", segment).unwrap_err();
    assert!(
        error.to_string().starts_with("a.toml:1: the envelope differs from that of the envelope segment")
    );
    assert!(catalog.with_envelope("stripe", preset("stripe").unwrap().unwrap()).is_ok());
}

#[test]
fn the_fields_of_an_envelope_are_columns_between_the_base_and_the_payload() {
    let text = "[domain.a.events.b.fields]\nn = 'int32'\n[envelope]\npreset = 'kafka'\n\
                fields = { partition = 'int32', source = { fields = { lsn = 'int64' } } }";
    let catalog = Catalog::from_toml(&[("x.toml", text)]).unwrap();
    let names = |schema: arrow_schema::Schema| {
        schema.fields().iter().skip(4).map(|field| field.name().clone()).collect::<Vec<_>>()
    };
    let event_type = &catalog.event_types()[0];
    assert_eq!(names(schema::flat_schema(event_type)), ["partition", "source_lsn", "data_n"]);
    assert_eq!(names(schema::nested_schema(event_type)), ["partition", "source", "data"]);
    let paths: Vec<_> = schema::columns(event_type).into_iter().map(|column| column.path).collect();
    assert_eq!(paths, ["partition", "source.lsn", "data.n"]);
    let clash = text.replace("n = 'int32'\n", "n = { type = 'int32', column = 'Partition' }\n");
    assert_eq!(
        Catalog::from_toml(&[("x.toml", &clash)]).unwrap_err().to_string(),
        "x.toml:2: a/b: partition and data.n would share the column \"Partition\": name one of the fields with `column = \"…\"`"
    );
}

#[test]
fn an_envelope_is_part_of_the_catalog_s_meaning() {
    let meaning = |envelope: &str| {
        Catalog::from_toml(&[("x.toml", &format!("[domain.a.events.b]\n{envelope}"))]).unwrap().meaning()
    };
    let all =
        ["", "[envelope]\npreset = 'docker'", "[envelope]\npreset = 'docker'\ndomain = 'x'"].map(meaning);
    assert!(all[0] != all[1] && all[1] != all[2]);
    let written = preset_text("docker").unwrap();
    assert_eq!(meaning(written), all[1]);
}
