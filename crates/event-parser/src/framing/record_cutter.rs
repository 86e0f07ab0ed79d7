//! A whole document → its records, for a reader that has the document in memory.
//!
//! Invariant: the same as for a document that goes by; its memory is kept from one document to the next.

use super::{
    LINE_BYTES_MAX,
    arrays::Element,
    open_document::is_space,
    record_scanner::{Broken, RecordScanner, Step},
    records::{KnownKeys, Records},
};

/// Cuts documents into their records.
#[derive(Debug)]
pub(crate) struct RecordCutter {
    scanner: RecordScanner,
    elements: Vec<Element>,
    /// Those of the records that it cuts for.
    known: KnownKeys,
}

/// What a document comes to.
#[derive(Debug)]
pub(crate) enum Cut {
    /// It is a record itself.
    Record,
    /// It has none of the paths to records.
    NoPath,
    /// It has the records in [`RecordCutter::elements`], and this text that is in none of them.
    Records(Option<Rest>),
}

/// The text of a document behind its last record, if there should be none.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) broken: Broken,
}

const END: &str = "nothing behind the document";

impl Default for RecordCutter {
    fn default() -> Self {
        Self { scanner: RecordScanner::new(0, 0), elements: Vec::new(), known: KnownKeys::default() }
    }
}

impl RecordCutter {
    /// Cuts a document. One that `may_be_long` is cut however long it is, as if it went by.
    pub(crate) fn cut(&mut self, records: &Records, document: &[u8], may_be_long: bool) -> Cut {
        self.elements.clear();
        let path = match document.get(..LINE_BYTES_MAX).filter(|_| document.len() > LINE_BYTES_MAX) {
            None => records.path_in(document, &mut self.known),
            Some(beginning) if may_be_long => records.list_in(beginning),
            Some(_) => return Cut::Record,
        };
        let Some(path) = path else {
            return if document.len() > LINE_BYTES_MAX { Cut::Record } else { Cut::NoPath };
        };
        if records.steps(path).is_empty() {
            return Cut::Record;
        }
        self.scanner.begin(path);
        let rest = |start: usize, broken: Broken| {
            let text = &document[start..];
            let spaces =
                |bytes: &mut dyn Iterator<Item = &u8>| bytes.take_while(|byte| is_space(**byte)).count();
            let end = document.len() - spaces(&mut text.iter().rev());
            let start = (start + spaces(&mut text.iter())).min(end.max(start));
            Rest { start, end: end.max(start), broken }
        };
        match self.scanner.scan(records, document, &mut self.elements, usize::MAX) {
            Step::Broken(broken) => Cut::Records(Some(rest(self.scanner.behind_last(), broken))),
            Step::Ended | Step::Stopped => {
                let at = self.scanner.scanned();
                let rest = rest(at, Broken { at, expected: END });
                Cut::Records((rest.start < rest.end).then_some(rest))
            }
        }
    }

    /// The records of the last document.
    pub(crate) fn elements(&self) -> &[Element] {
        &self.elements
    }
}

#[cfg(test)]
mod tests {
    use events_core::envelope::RecordsPath;

    use super::{super::Unit, *};

    /// The records of a document, each behind what it is read with, and what else is in it.
    fn cut(paths: &str, document: &str) -> String {
        let paths: Vec<RecordsPath> = paths.split('|').map(|path| path.parse().unwrap()).collect();
        let records = Records::new(&paths, &["resource".to_owned(), "scope".to_owned()]);
        let mut cutter = RecordCutter::default();
        let cut = cutter.cut(&records, document.as_bytes(), false);
        let mut found: Vec<_> = cutter
            .elements()
            .iter()
            .map(|Element { range, due, unit }| {
                let Unit::Record(Some(enclosing)) = unit else { panic!("{unit:?}") };
                let enclosing = std::str::from_utf8(enclosing).unwrap();
                let enclosing = if enclosing == "{}" { "" } else { enclosing };
                format!("{enclosing}{}{}", if due.is_some() { "!" } else { "" }, &document[range.clone()])
            })
            .collect();
        match cut {
            Cut::Record => found.push("record".to_owned()),
            Cut::NoPath => found.push("no path".to_owned()),
            Cut::Records(None) => {}
            Cut::Records(Some(Rest { start, end, broken })) => {
                found.push(format!("broken {} at {}: {}", &document[start..end], broken.at, broken.expected));
            }
        }
        found.join(" | ")
    }

    #[test]
    fn records_are_at_the_first_path_that_is_there() {
        let stripe = "data[]|.";
        assert_eq!(
            cut(stripe, r#"{"object": "list", "data": [{"id": 1}, {"id": 2}]}"#),
            r#"{"id": 1} | {"id": 2}"#
        );
        assert_eq!(cut(stripe, r#"{"id": 1, "data": {"object": {}}}"#), "record");
        assert_eq!(cut(stripe, r#"{"id": 1}"#), "record");
        assert_eq!(cut("payload|.", r#"{"schema": {}, "payload": {"op": "c"}}"#), r#"{"op": "c"}"#);
        assert_eq!(cut("payload|.", r#"{"schema": {}, "payload": null}"#), "record");
        assert_eq!(cut("Records[]", r#"{"records": []}"#), "no path");
        assert_eq!(cut("Records[]", r#"{"Records": null}"#), "");
        assert_eq!(cut("Records[]", r#"{"Records": []}"#), "");
        assert_eq!(cut("Records[]", r#"{"\u0052ecords": [1]}"#), "1");
        // However the key is written.
        assert_eq!(cut("\"a/b\"[]", r#"{"a\/b": [1]}"#), "1");
        assert_eq!(cut("a.b[]", r#"{"b": [0], "a": {"c": "b", "b" :[1]}}"#), "1");
        assert_eq!(cut("a.b[]", r#"{"b": [0], "a": {"c": "b", "\u0062":null}}"#), "");
        assert_eq!(cut("a.b[]", r#"{"b": [0], "a": {"b": {"b": 1}}}"#), "no path");
        assert_eq!(cut("b[]|a[]", r#"{"a": [1], "b": [2], "b": [3]}"#), "2 | 3");
        let adyen = "notificationItems[].NotificationRequestItem";
        assert_eq!(
            cut(adyen, r#"{"notificationItems": [{"NotificationRequestItem": {"a": 1}}, {"x": 1}]}"#),
            r#"{"a": 1} | {"x": 1}"#
        );
    }

    #[test]
    fn levels_of_lists_hand_over_what_stands_before_the_records() {
        let otlp = "a[].b[].c[]";
        let document = r#"{"a": [{"resource": {"r": 1}, "b": [
            {"scope": "s1", "c": [{"x": 1}, {"x": 2}], "scope": "late"}, {"c": [{"x": 3}]}, {}, {"c": null}]},
            {"resource": 2, "b": [{"resource": 3, "c": [{"x": 4}]}]}, {"b": {"x": 5}}]} "#;
        assert_eq!(
            cut(otlp, document),
            r#"{"resource":{"r": 1},"scope":"s1"}{"x": 1} | {"resource":{"r": 1},"scope":"s1"}{"x": 2} | {"resource":{"r": 1}}{"x": 3} | {"resource":3}{"x": 4} | {"x": 5}"#
        );
    }

    #[test]
    fn records_before_a_break_count_and_what_follows_is_one_piece() {
        let records = "Records[]";
        assert_eq!(
            cut(records, r#"{"Records": [{}, {"a": 1} {"b": 2},, junk]}"#),
            r#"{} | {"a": 1} | !{"b": 2} | , | junk"#
        );
        assert_eq!(cut(records, r#"{"x": 1 "y", "Records": [{}]}"#), "no path");
        assert_eq!(
            cut(records, r#"{"Records": [{}], "x": 1 "y"} "#),
            r#"{} | broken ], "x": 1 "y"} at 25: `,` or `}`"#
        );
        assert_eq!(
            cut(records, r#"{"Records": [{}"#),
            "{} | broken  at 15: `,` or `]` behind an element of the list"
        );
        assert_eq!(cut(records, r#"{"Records": [{}, {"a": [1}"#), r#"{} | {"a": [1}"#);
        assert_eq!(
            cut(records, r#"{"Records": [{}]} {"a": 1}"#),
            r#"{} | broken {"a": 1} at 17: nothing behind the document"#
        );
    }
}
