//! Records of an envelope → rows and bad lines, against the naive model.
//!
//! Invariant: see [`envelope`].

use std::sync::LazyLock;

use event_parser::Plan;
use events_core::catalog::Catalog;
use naive_model::{columns::EventType, event_types};

use super::lines::{Case, blocks_of, pieces_of};

/// The event types of the records.
const TYPES: &str = "
[domain.d.events.t.fields]
a = 'string'
b = 'json'
e = 'string'
k = 'json'
o = { fields = { x = 'int64', y = 'string', d = 'string' } }
p = { fields = { q = { required = true, fields = { a = 'int32' } } } }
l = { list = { fields = { s = 'string' } } }
[domain.d.events.u.fields]
a = { type = 'decimal(6,2)', required = true }
m = 'map(string)'
x = 'timestamp(ms)'
[domain.x.events.t]
directory = 'x.t'
";

/// Envelopes of all forms.
const ENVELOPES: [&str; 10] = [
    "event_id = '{i}'\ntimestamp = '{t}'\ndomain = 'd'\nevent_type = '{e|k}'\ndata = '.'",
    "event_id = ['{i}', '{o.x}']\ntimestamp = { from = '{t}', unit = 's' }\ndomain = '{o.d|d}'\nevent_type = '{k}'\n\
     data = '.'",
    "event_id = '{i}'\ntimestamp = { from = '{t}', unit = 'ms' }\ndomain = 'd'\nevent_type = '{k}'\ndata = '{p.q}'\n\
     fields = { f = 'boolean', o = { fields = { x = 'int64', y = { type = 'string', required = true } } } }",
    "event_id = ['{o.x}', '{a.i|b.i}']\ntimestamp = { from = '{o.t}', unit = 'us' }\ndomain = '{o.d}'\n\
     event_type = '{o.k}'\ndata = '{a|b}'\nfields = { e = 'string' }",
    "event_id = '{@hash}'\ntimestamp = { from = '{t|s}', unit = 'ns' }\ndomain = 'd'\nevent_type = '{k}'\ndata = '.'\n\
     fields = { l = { list = { fields = { s = 'string' } } } }",
    "event_id = 'x-{i}-{e|o.x}'\ntimestamp = '{t}'\ndomain = 'd'\nevent_type = '{k}'\ndata = '{p}'\n\
     fields = { p = 'json', m = 'map(string)' }",
    "event_id = '{o.i}'\ntimestamp = '{o.t|t}'\ndomain = 'd'\nevent_type = '{e|o.k}'\ndata = '{o}'",
    "event_id = '{i}'\ntimestamp = '{t}'\ndomain = 'd'\nevent_type = '{k}'\ndata = '{p.q|p}'",
    "event_id = '{i}'\ntimestamp = '{t}'\ndomain = '{d|e}'\nevent_type = '{o.k|e}'\ndata = '.'\n\
     fields = { b = 'int64', o = { fields = { x = 'int32' } } }",
    "event_id = '{\"i\"}'\ntimestamp = '{t}Z'\ndomain = 'd'\nevent_type = '{k}{e|a}'\ndata = '{a}'",
];

/// A plan, and the model's tables of the same catalog.
struct Reading {
    catalog: Catalog,
    plan: Plan,
    types: Vec<EventType>,
}

static READINGS: LazyLock<Vec<Reading>> = LazyLock::new(|| ENVELOPES.map(Reading::of).into());

impl Reading {
    fn of(envelope: &str) -> Self {
        let text = format!("[envelope]\n{envelope}\n{TYPES}");
        let catalog = Catalog::from_toml(&[("envelope.toml", &text)]).unwrap();
        Self { plan: Plan::new(&catalog), types: event_types::declared_in(&catalog), catalog }
    }

    fn agrees(&self, options: u8, text: &[u8]) {
        let case = Case::of_envelope(options, &self.plan, &self.types, self.catalog.envelope());
        let (blocks, pieces) = (blocks_of(text, case.block_bytes), pieces_of(text));
        let (Ok(blocks), Some(pieces)) = (blocks, pieces) else { return };
        let together = case.lines(case.read(&blocks), &pieces);
        assert_eq!(together, case.read_each_alone(&blocks, &pieces), "together (left) is not alone (right)");
        assert_eq!(
            together.without_details(),
            case.expected(&pieces),
            "the loader (left) is not the model (right)"
        );
    }
}

/// The first byte chooses a way to read the rest, as in [`super::line_to_row`], the second an envelope.
///
/// The loader agrees with the model about rows, bad lines and their reasons, blank and filtered lines,
/// unknown and changed fields; and lines that are read together give the same result as each line alone.
pub fn envelope(bytes: &[u8]) {
    let [options, envelope, text @ ..] = bytes else { return };
    READINGS[usize::from(*envelope) % READINGS.len()].agrees(*options, text);
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select, strategy::BoxedStrategy};

    use super::*;

    /// The value of a key: most are what an envelope needs there.
    fn value(key: &'static str, levels: u32) -> BoxedStrategy<String> {
        let scalar = select(vec![
            "null",
            "true",
            "0",
            "-7",
            "2.5",
            "1e3",
            "\"\"",
            "\"t\"",
            "\"d\"",
            "\"12\"",
            "\"x\\\"\\u00e9\"",
            "[]",
            "{}",
            "[{\"s\":\"a\"},{\"s\":1,\"r\":2}]",
            "{\"v\":\"w\"}",
            "[1",
            "{\"a\":[}",
            "nul",
        ]);
        let scalar = scalar.prop_map(str::to_owned).boxed();
        let of = |texts: &'static [&'static str]| select(texts).prop_map(str::to_owned).boxed();
        let usual = match key {
            "t" | "s" => of(&[
                "\"2024-10-10T00:00:07\"",
                "\"2024-10-10\"",
                "\"1728518407\"",
                "1728518407",
                "1728518407123",
                "1728518407123456",
                "1728518407123456789",
                "\"1728518407123456789\"",
                "1728518407.25",
                "\"2024-10-10T00:00:07.1234567Z\"",
            ]),
            "k" | "e" => of(&["\"t\"", "\"t\"", "\"u\"", "\"values\""]),
            "d" => of(&["\"d\"", "\"d\"", "\"x\""]),
            "i" => {
                of(&["\"id\"", "12", "12345678901234567890123", "\"00112233-4455-6677-8899-aabbccddeeff\""])
            }
            "x" | "f" => of(&["1", "\"2\"", "true", "1728518407123"]),
            "o" if levels > 0 => members_of(&["x", "t", "d", "k", "i", "y"], levels - 1),
            "a" | "b" | "p" if levels > 0 => members_of(&["i", "a", "x", "q"], levels - 1),
            "q" | "m" if levels > 0 => object(levels - 1, 0..6),
            _ => scalar.clone(),
        };
        prop_oneof![9 => usual, 1 => scalar].boxed()
    }

    fn object(levels: u32, members: std::ops::Range<usize>) -> BoxedStrategy<String> {
        let key =
            select(&["a", "b", "d", "e", "f", "i", "k", "l", "m", "o", "p", "q", "s", "t", "x", "y"][..]);
        let member = key.prop_flat_map(move |key| (Just(key), value(key, levels)));
        let space = select(&["", " ", "\t"][..]);
        (vec(member, members), space)
            .prop_map(|(members, space)| {
                let text = |(key, value)| format!("\"{key}\"{space}:{space}{value}");
                format!(
                    "{{{}}}",
                    members.into_iter().map(text).collect::<Vec<_>>().join(&format!(",{space}"))
                )
            })
            .boxed()
    }

    /// An object that has most of these keys, in any order, with anything besides.
    fn members_of(keys: &'static [&'static str], levels: u32) -> BoxedStrategy<String> {
        let needed =
            keys.iter().map(|&key| prop::option::weighted(0.85, (Just(key), value(key, levels))).boxed());
        (needed.collect::<Vec<_>>(), object(levels, 0..3))
            .prop_flat_map(|(needed, other)| {
                let members: Vec<_> = needed.into_iter().flatten().collect();
                (Just(members).prop_shuffle(), Just(other))
            })
            .prop_map(|(members, other)| {
                let mut members: Vec<_> =
                    members.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                members.push(other[1..other.len() - 1].to_owned());
                members.retain(|member| !member.trim().is_empty());
                format!("{{{}}}", members.join(","))
            })
            .boxed()
    }

    /// A record that has what most envelopes need.
    fn record() -> BoxedStrategy<String> {
        let record = members_of(&["i", "t", "k", "e", "d", "o", "p", "a"], 2);
        prop_oneof![30 => record, 1 => Just(" null ".to_owned())].boxed()
    }

    fn path() -> BoxedStrategy<String> {
        let key = || select(&["a", "b", "d", "e", "i", "k", "o", "p", "q", "t", "x"][..]);
        prop_oneof![3 => key().prop_map(str::to_owned), 1 => (key(), key()).prop_map(|(a, b)| format!("{a}.{b}"))]
            .boxed()
    }

    fn template(usual: &'static str) -> BoxedStrategy<String> {
        prop_oneof![
            5 => Just(format!("'{{{usual}}}'")),
            1 => vec(path(), 1..3).prop_map(|paths| format!("'{{{}}}'", paths.join("|"))),
            1 => path().prop_map(move |path| format!("'{{{path}|{usual}}}'")),
            1 => path().prop_map(move |path| format!("'{{{usual}|{path}}}'")),
        ]
        .boxed()
    }

    fn any_envelope() -> BoxedStrategy<String> {
        let id = prop_oneof![
            template("i"),
            (template("i"), template("k")).prop_map(|(a, b)| format!("[{a}, {b}]")),
            Just("'{@hash}'".to_owned()),
        ];
        let time = prop_oneof![
            2 => template("t"),
            2 => (template("t"), select(&["s", "ms", "us", "ns"][..]))
                .prop_map(|(from, unit)| format!("{{ from = {from}, unit = '{unit}' }}")),
        ];
        let domain = prop_oneof![2 => Just("'d'".to_owned()), 1 => template("d")];
        let data = prop_oneof![
            Just("'.'".to_owned()),
            vec(path(), 1..3).prop_map(|paths| format!("'{{{}}}'", paths.join("|"))),
        ];
        let field = prop_oneof![
            (select(&["a", "b", "e", "o", "s", "t", "x"][..]), select(&["string", "int64", "json"][..]))
                .prop_map(|(name, kind)| format!("{name} = '{kind}'")),
            Just("o = { fields = { x = 'int64' } }".to_owned()),
            Just("l = { list = { fields = { s = 'string' } } }".to_owned()),
        ];
        (id, time, domain, template("k"), data, prop::option::of(field))
            .prop_map(|(id, time, domain, event_type, data, field)| {
                format!(
                    "event_id = {id}\ntimestamp = {time}\ndomain = {domain}\nevent_type = {event_type}\n\
                     data = {data}\nfields = {{ {} }}",
                    field.unwrap_or_default()
                )
            })
            .boxed()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

        #[test]
        fn any_records_of_any_envelope_are_what_the_model_says(
            envelope in any_envelope(), records in vec(record(), 1..8), options: u8,
        ) {
            Reading::of(&envelope).agrees(options, records.join("\n").as_bytes());
        }

        #[test]
        fn records_of_the_fuzzed_envelopes_are_what_the_model_says(
            index in 0..ENVELOPES.len(), records in vec(record(), 1..8), options: u8, is_array: bool,
        ) {
            let text = if is_array { format!("[{}]", records.join(",\n")) } else { records.join("\n") };
            READINGS[index].agrees(options, text.as_bytes());
        }
    }
}
