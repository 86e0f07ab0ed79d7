//! Documents as a whole and piece by piece: are their records the same?

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

/// A record, by its offset, with what it is read with.
type Found = (usize, Vec<u8>, Option<&'static str>, Unit);

fn records() -> Records {
    Records::new(&["a[].b[].c".parse().unwrap()], &["key".to_owned(), "é".to_owned()])
}

fn whole(document: &[u8]) -> (Vec<Found>, bool) {
    let (mut scanner, mut elements) = (RecordScanner::new(0, 0), Vec::new());
    scanner.begin(0);
    let step = scanner.scan(&records(), document, &mut elements, usize::MAX);
    let found = |Element { range, due, unit }: Element| (range.start, document[range].to_vec(), due, unit);
    (elements.into_iter().map(found).collect(), matches!(step, Step::Ended))
}

/// The document goes by in pieces of these lengths, and the bytes of records that are complete are dropped.
fn passing(document: &[u8], lengths: &[usize]) -> (Vec<Found>, bool) {
    let (mut scanner, mut found) = (RecordScanner::new(0, 0), Vec::new());
    let (mut from, mut to) = (0, 0_usize);
    for length in lengths.iter().cycle() {
        to = to.saturating_add(*length).min(document.len());
        let mut elements = Vec::new();
        let step = scanner.scan(&records(), &document[from..to], &mut elements, 3);
        let is_full = elements.len() == 3;
        found.extend(elements.into_iter().map(|Element { range, due, unit }| {
            (from + range.start, document[from + range.start..from + range.end].to_vec(), due, unit)
        }));
        match step {
            Step::Stopped if to == document.len() && !is_full => break,
            Step::Stopped => {}
            step => return (found, matches!(step, Step::Ended)),
        }
        let returned = scanner.unfinished();
        scanner.advance(&document[from..from + returned]);
        from += returned;
    }
    (found, false)
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<i32>().prop_map(Into::into),
        prop::sample::select(vec!["\"]}", "\\", "é\n", "x"]).prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = prop::sample::select(vec!["a", "b", "c", "key", "é", "\"{"]);
        let object = proptest::collection::vec((key, inner.clone()), 0..4)
            .prop_map(|fields| Json::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()));
        prop_oneof![proptest::collection::vec(inner, 0..4).prop_map(Into::into), object]
    })
}

/// Documents that mostly have records at the path.
fn documents() -> impl Strategy<Value = Json> {
    let list = |of| proptest::collection::vec(of, 0..4).prop_map(Json::from);
    let with = |name: &'static str, value: BoxedStrategy<Json>| {
        (json(), json(), value, 0..9_u8).prop_map(move |(key, behind, value, other)| match other {
            0 => json!({"key": key}),
            1 => json!({"é": key, name: behind}),
            _ => json!({"A": key, "key": key, name: value, "é": behind, "z": behind}),
        })
    };
    let items = list(with("c", json().boxed()).boxed());
    let groups = list(with("b", items.boxed()).boxed());
    (groups, json()).prop_map(|(groups, before)| json!({"Key": before, "a": groups, "key": 1}))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_document_that_goes_by_has_the_records_of_the_whole_one(
        document in documents(), pretty: bool, lengths in proptest::collection::vec(1..90_usize, 1..5)
    ) {
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        let text = text.unwrap().into_bytes();
        let expected = whole(&text);
        prop_assert!(expected.1);
        let with_next = [&text[..], b" {\"next\": 1}"].concat();
        prop_assert_eq!(passing(&with_next, &lengths), expected);
    }

    #[test]
    fn where_a_document_is_broken_does_not_depend_on_how_it_goes_by(
        document in documents(), at in 0..400_usize, with in "[\\]}{,:\"x ]", lengths in proptest::collection::vec(1..90_usize, 1..5)
    ) {
        let mut text = serde_json::to_string(&document).unwrap();
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        text.insert_str(at, &with);
        let text = [text.as_bytes(), b"     \n\n               "].concat();
        prop_assert_eq!(passing(&text, &lengths), passing(&text, &[usize::MAX]));
    }
}
