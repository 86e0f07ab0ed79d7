//! A die → a catalog with types of every kind, and payloads of it: nearly all values fit, some are odd, some
//! keys come twice.

use std::fmt::Write as _;

use super::text::{Fields, any_value, number, object, string, text};
use crate::support::events::Die;

/// A random catalog of one event type, `d/e`.
pub(crate) struct RandomTypes {
    /// As TOML.
    pub(crate) catalog: String,
    /// The fields of the types with names.
    named: Vec<Vec<Field>>,
    payload: Vec<Field>,
}

struct Field {
    name: &'static str,
    required: bool,
    kind: Kind,
}

enum Kind {
    Value(&'static str),
    Object(Vec<Field>),
    List(Box<Self>),
    Map(Box<Self>),
    /// The type with this index.
    Named(usize),
}

const VALUES: [&str; 13] = [
    "string",
    "int32",
    "int64",
    "float64",
    "boolean",
    "decimal(6,2)",
    "date",
    "timestamp",
    "json",
    "timestamp(s)",
    "timestamp(ms)",
    "timestamp(us)",
    "timestamp(ns)",
];

const NAMES: [&str; 7] = ["a", "id", "at", "ü", "Key", "x_y", "a long name with \"quotes\""];

/// Keys of maps; some are those of fields.
const KEYS: [&str; 12] =
    ["", "a", "b", "id", "é\"\n", "\u{0}", "K", "k", "1", "😀", "a.b", "a key of more than sixteen bytes"];

/// Seconds since 1970: of our time, around 1970, and the first and the last there are.
const SECONDS: [i128; 6] = [0, 1, -1, 1_728_518_407, 253_402_300_799, -62_135_596_800];

impl RandomTypes {
    pub(crate) fn new(die: &mut Die) -> Self {
        let (mut catalog, mut named) = (String::new(), Vec::new());
        for index in 0..die.index(4) {
            // A type may have those in it that were made before.
            let fields = Field::random(die, index, 1);
            writeln!(catalog, "[types.t{index}]\nfields = {}", table_of(die, &fields)).unwrap();
            named.push(fields);
        }
        let payload = Field::random(die, named.len(), 0);
        writeln!(catalog, "[domain.d.events.e.fields]").unwrap();
        for field in &payload {
            writeln!(catalog, "{}", field.text(die)).unwrap();
        }
        Self { catalog, named, payload }
    }

    /// The text of a payload.
    pub(crate) fn payload(&self, die: &mut Die) -> String {
        self.object(die, &self.payload)
    }

    fn object(&self, die: &mut Die, fields: &[Field]) -> String {
        let mut members: Fields = Vec::new();
        for field in fields {
            if !die.one_in(if field.required { 60 } else { 6 }) {
                members.push((field.name, self.value(die, field)));
            }
        }
        if die.one_in(6) {
            members.push(("unknown", any_value(die, 2)));
        }
        self.with_key_twice(die, &mut members, fields.first().map(|field| &field.kind));
        object(die, members)
    }

    /// Seldom, a key comes twice.
    fn with_key_twice(&self, die: &mut Die, members: &mut Fields, kind: Option<&Kind>) {
        if let (Some((name, _)), Some(kind), true) = (members.first(), kind, die.one_in(80)) {
            members.push((name, self.fitting(die, kind)));
        }
    }

    fn value(&self, die: &mut Die, field: &Field) -> String {
        match die.roll(120) {
            0 => any_value(die, 2),
            1..8 if !field.required => "null".to_owned(),
            _ => self.fitting(die, &field.kind),
        }
    }

    fn fitting(&self, die: &mut Die, kind: &Kind) -> String {
        match kind {
            Kind::Value(name) => value(die, name),
            Kind::Object(fields) => self.object(die, fields),
            Kind::Named(index) => self.object(die, &self.named[*index]),
            Kind::List(element) => {
                let elements: Vec<_> = (0..die.roll(4)).map(|_| self.inner(die, element)).collect();
                format!("[{}]", elements.join(*die.pick(&[",", ", ", " ,\t"])))
            }
            Kind::Map(inner) => {
                let mut keys = KEYS.to_vec();
                die.shuffle(&mut keys);
                let most = if die.one_in(8) { KEYS.len() } else { 3 };
                keys.truncate(die.index(most + 1));
                let mut members: Fields = keys.into_iter().map(|key| (key, self.inner(die, inner))).collect();
                self.with_key_twice(die, &mut members, Some(inner));
                object(die, members)
            }
        }
    }

    fn inner(&self, die: &mut Die, kind: &Kind) -> String {
        if die.one_in(10) { "null".to_owned() } else { self.fitting(die, kind) }
    }
}

impl Field {
    /// The fields of an object at some level, with types that have an index below `named`.
    fn random(die: &mut Die, named: usize, level: u64) -> Vec<Self> {
        let mut keys = NAMES.to_vec();
        die.shuffle(&mut keys);
        keys.truncate(1 + die.index(4));
        let field = |name| Self { name, required: die.one_in(8), kind: Kind::random(die, named, level) };
        keys.into_iter().map(field).collect()
    }

    /// As a line of the catalog.
    fn text(&self, die: &mut Die) -> String {
        let name = serde_json::to_string(self.name).unwrap();
        match self.kind.name() {
            Some(kind) if !self.required && die.one_in(2) => format!("{name} = {kind:?}"),
            _ => format!("{name} = {{ {}, required = {} }}", self.kind.entry(die), self.required),
        }
    }
}

impl Kind {
    fn random(die: &mut Die, named: usize, level: u64) -> Self {
        if level == 3 {
            return Self::Value(VALUES[die.index(VALUES.len())]);
        }
        match die.roll(10) {
            0 => Self::Object(Field::random(die, named, level + 1)),
            1 => Self::List(Box::new(Self::random(die, named, level + 1))),
            2..5 => Self::Map(Box::new(Self::random(die, named, level + 1))),
            5 | 6 if named > 0 => Self::Named(die.index(named)),
            _ => Self::Value(VALUES[die.index(VALUES.len())]),
        }
    }

    /// Its name, if it has one.
    fn name(&self) -> Option<String> {
        Some(match self {
            Self::Value(name) => (*name).to_owned(),
            Self::Object(_) => return None,
            Self::List(element) => format!("list({})", element.name()?),
            Self::Map(value) => format!("map({})", value.name()?),
            Self::Named(index) => format!("t{index}"),
        })
    }

    /// As an entry of a table.
    fn entry(&self, die: &mut Die) -> String {
        if let Some(name) = self.name().filter(|_| die.one_in(2)) {
            return format!("type = {name:?}");
        }
        match self {
            Self::Value(_) | Self::Named(_) => format!("type = {:?}", self.name().unwrap_or_default()),
            Self::Object(fields) => format!("fields = {}", table_of(die, fields)),
            Self::List(element) => format!("list = {{ {} }}", element.entry(die)),
            Self::Map(value) => format!("map = {{ {} }}", value.entry(die)),
        }
    }
}

fn table_of(die: &mut Die, fields: &[Field]) -> String {
    let fields: Vec<_> = fields.iter().map(|field| field.text(die)).collect();
    format!("{{ {} }}", fields.join(", "))
}

/// A value of a type, nearly always.
fn value(die: &mut Die, name: &str) -> String {
    let epoch = |die: &mut Die, digits: u32| {
        let unit = 10_i128.pow(digits);
        let whole = die.pick(&SECONDS) * unit + i128::from(die.roll(1 << 40)) % unit;
        format!("{whole}{}", die.pick(&["", "", ".0", ".5", ".1234567891", "e0"]))
    };
    let token = match name {
        "string" => return if die.one_in(4) { any_value(die, 2) } else { text(die) },
        "json" => return any_value(die, 3),
        "boolean" => return (*die.pick(&["true", "false", "\"true\""])).to_owned(),
        "date" => return string(die, "2024-02-29"),
        "timestamp" => {
            let time = *die.pick(&["2024-10-10T00:00:07", "2024-10-10 00:00:07.1234567+02:00", "9999-12-31"]);
            return string(die, time);
        }
        "timestamp(s)" => epoch(die, 0),
        "timestamp(ms)" => epoch(die, 3),
        "timestamp(us)" => epoch(die, 6),
        "timestamp(ns)" => epoch(die, 9),
        "decimal(6,2)" => format!("{}.{:03}", die.roll(1_000), die.roll(1_000)),
        "float64" => number(die).replace("1e400", "0.1"),
        _ => (*die.pick(&["0", "-0", "12", "-2147483648", "2147483647", "1e2", "12.0"])).to_owned(),
    };
    if die.one_in(8) { string(die, &token) } else { token }
}
