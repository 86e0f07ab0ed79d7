//! A seed → input files that try to trip the loader up: every way to write an event that JSON allows,
//! versions of few events that compete to be the latest, and lines that are broken at random.
//!
//! What a line means is not decided here: the naive model reads the bytes, so a mutation need not know what
//! it breaks.

mod text;
mod types;

use chrono::{DateTime, TimeDelta};

use crate::support::events::{Die, TYPES};
pub(crate) use types::RandomTypes;

use text::{Fields, SPACES, any_value, number, object, odd_text, string, text};

/// A file of a case. Lines are kept apart, each with its newline if it has one, so that a failing case can be
/// made smaller.
#[derive(Debug, Clone)]
pub(crate) struct HostileFile {
    pub(crate) name: String,
    pub(crate) lines: Vec<Vec<u8>>,
}

/// Names whose order as bytes is neither that of a dictionary nor that of directories; a file `a` can't be
/// beside `a/`.
const NAMES: [&str; 4] = ["B.json", "a-b.json", "a.json", "a/b.json"];

/// One to three files of up to 40 lines.
pub(crate) fn files(die: &mut Die) -> Vec<HostileFile> {
    let count = 1 + die.index(3);
    let mut names = NAMES.to_vec();
    die.shuffle(&mut names);
    names.truncate(count);
    names.sort_unstable();
    let world = World::new(die);
    names.into_iter().map(|name| HostileFile { name: name.to_owned(), lines: world.lines(die) }).collect()
}

/// What the events of one case have in common: few ids and few instants, so that they meet.
struct World {
    ids: Vec<String>,
    /// Microseconds since 1970.
    instants: Vec<i64>,
}

const DAY_MICROS: i64 = 86_400_000_000;
/// 2024-10-10T00:00:00Z.
const START: i64 = 1_728_518_400_000_000;
/// The last microsecond of the year 9999, the second day of the year 1, a leap day, the last microsecond
/// before 1970.
const FAR_INSTANTS: [i64; 4] = [253_402_300_799_999_999, -62_135_510_400_000_000, 1_709_164_800_000_000, -1];

impl World {
    fn new(die: &mut Die) -> Self {
        // One UUID in every spelling: as event ids these are all different.
        let uuid = format!("{:08x}-00aa-40bb-80cc-{:012x}", die.roll(1 << 32), die.roll(1 << 48));
        let simple = uuid.replace('-', "");
        let mut ids = vec![
            uuid.to_uppercase(),
            format!("{{{uuid}}}"),
            format!("urn:uuid:{uuid}"),
            format!(" {uuid}"),
            simple.to_uppercase(),
            format!("{}g", &uuid[..35]),
            uuid,
            simple,
            "e1".to_owned(),
            "e1 ".to_owned(),
            "é\u{0}😀".to_owned(),
            "x".repeat(300),
        ];
        die.shuffle(&mut ids);
        ids.truncate(2 + die.index(6));
        let mut instants: Vec<i64> = (0..3)
            .flat_map(|day| {
                [0, 1, 45_296_000_000, 86_399_999_999].map(|time| START + day * DAY_MICROS + time)
            })
            .collect();
        instants.push(*die.pick(&FAR_INSTANTS));
        die.shuffle(&mut instants);
        instants.truncate(2 + die.index(7));
        Self { ids, instants }
    }

    fn lines(&self, die: &mut Die) -> Vec<Vec<u8>> {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for _ in 0..die.roll(41) {
            // Some events are delivered again.
            let again = (!lines.is_empty() && die.one_in(8)).then(|| die.pick(&lines).clone());
            lines.push(again.unwrap_or_else(|| self.line(die)));
        }
        for line in &mut lines {
            line.extend_from_slice(if die.one_in(4) { b"\r\n" } else { b"\n" });
        }
        if let Some(last) = lines.last_mut().filter(|_| die.one_in(3)) {
            last.pop();
        }
        if let Some(first) = lines.first_mut().filter(|_| die.one_in(4)) {
            first.splice(..0, *b"\xEF\xBB\xBF");
        }
        lines
    }

    fn line(&self, die: &mut Die) -> Vec<u8> {
        match die.roll(30) {
            0 => die.pick(&["", " ", "\t\r ", "\r"]).as_bytes().to_vec(),
            1 => die.pick(&STRAY_LINES.split(' ').collect::<Vec<_>>()).as_bytes().to_vec(),
            2 => {
                let event = self.event(die, false);
                broken(die, event)
            }
            3..=6 => self.event(die, true).into_bytes(),
            _ => self.event(die, false).into_bytes(),
        }
    }

    /// The text of an event; if `mutated`, with a field that is something else, missing, or there twice.
    fn event(&self, die: &mut Die, mutated: bool) -> String {
        let is_other = die.one_in(5);
        let (domain, event_type) = *die.pick(if is_other { &OTHER_TYPES[..] } else { &TYPES });
        let columns = if domain == "account" {
            ["id", "old_status", "new_status", "reason"]
        } else {
            ["id", "to", "from", "amount"]
        };
        let mut payload: Fields = columns.iter().map(|name| (*name, payload_value(die, name))).collect();
        add_unknown(die, &mut payload, &["loyalty_tier", "ID", "amount ", "", "😀", "status"]);
        if mutated && die.one_in(2) {
            mutate(die, &mut payload);
        }
        let data = match die.roll(15) {
            0 => "null".to_owned(),
            1..=5 if is_other => any_value(die, 3),
            _ => object(die, payload),
        };
        let (event_id, timestamp) = (die.pick(&self.ids).clone(), timestamp(die, &self.instants));
        let mut fields: Fields = vec![
            ("event_id", string(die, &event_id)),
            ("timestamp", string(die, &timestamp)),
            ("domain", string(die, domain)),
            ("event_type", string(die, event_type)),
            ("data", data),
        ];
        add_unknown(die, &mut fields, &["trace_id", "Event_ID", "DATA", "", "id", "é\u{0}"]);
        if mutated && die.one_in(2) {
            mutate(die, &mut fields);
        }
        let text = object(die, fields);
        if die.one_in(6) { format!("{}{text}{}", die.pick(&SPACES), die.pick(&SPACES)) } else { text }
    }
}

/// Event types that the built-in catalog does not name; no two can share a directory.
const OTHER_TYPES: [(&str, &str); 10] = [
    ("shop", "Sale"),
    ("shop", "sale"),
    ("shop", "order placed/EU"),
    ("account", "created"),
    ("", ""),
    ("Grüße", "../../*"),
    ("_x", "é\u{0}😀"),
    ("-", "account-open"),
    ("shop", "*"),
    ("shop", LONG),
];

/// With each byte in hexadecimal, it is too long for a directory.
const LONG: &str =
    "///////////////////////////////////////////////////////////////////////////////////////////";

/// Lines that are no events at all.
const STRAY_LINES: &str = "[] {} 12 \"x\" null true [{}] NaN { {}{} \u{FEFF}{} {\"domain\":\"account\"}";

/// A value that fits its column, mostly.
fn payload_value(die: &mut Die, name: &str) -> String {
    match die.roll(16) {
        0 => return "null".to_owned(),
        1 => return any_value(die, 2),
        _ => {}
    }
    if matches!(name, "old_status" | "new_status" | "reason") {
        return text(die);
    }
    let token = match die.roll(4) {
        0 => number(die),
        1 => format!("{}.{:03}", die.roll(1000), die.roll(1000)),
        _ => die.roll(1_000_000).to_string(),
    };
    // An id is mostly whole; and a leading zero is no JSON.
    let token = if name == "id" && !die.one_in(3) { token.replace('.', "") } else { token };
    let token = if token.len() > 1 && token.starts_with('0') && !token.contains('.') {
        "0".to_owned()
    } else {
        token
    };
    if die.one_in(5) { string(die, &token) } else { token }
}

/// Fields that no schema has.
fn add_unknown<'a>(die: &mut Die, fields: &mut Fields<'a>, names: &[&'a str]) {
    while die.one_in(5) {
        let name = *die.pick(names);
        fields.push((name, any_value(die, 3)));
    }
}

/// One field becomes something else, goes missing, or comes twice.
fn mutate(die: &mut Die, fields: &mut Fields) {
    let at = die.index(fields.len());
    match die.roll(5) {
        0 => drop(fields.remove(at)),
        1 => fields.push(fields[at].clone()),
        2 => fields.push((fields[at].0, any_value(die, 1))),
        3 => fields[at].1 = odd_text(die),
        _ => fields[at].1 = any_value(die, 2),
    }
}

/// One of the instants, in one of the ways to write it.
fn timestamp(die: &mut Die, instants: &[i64]) -> String {
    let instant = DateTime::from_timestamp_micros(*die.pick(instants)).unwrap();
    let (offset, minutes) = *die.pick(&[
        ("", 0),
        ("", 0),
        ("Z", 0),
        ("z", 0),
        ("+00:00", 0),
        ("-00:00", 0),
        ("+05:30", 330),
        ("-0330", -210),
        ("+14:00", 840),
        ("-1200", -720),
        ("+23:59", 1439),
    ]);
    let local = instant + TimeDelta::minutes(minutes);
    if offset.is_empty() && local.time() == chrono::NaiveTime::MIN && die.one_in(2) {
        return local.format("%Y-%m-%d").to_string();
    }
    let whole_second = local.timestamp_subsec_micros() == 0;
    let fraction = match die.roll(3) {
        0 if whole_second => String::new(),
        1 => format!("{}{}", local.format("%.6f"), die.pick(&["9", "999", "0000000000"])),
        _ => local.format("%.6f").to_string(),
    };
    let separator = die.pick(&["T", "T", "t", " "]);
    // chrono writes a sign before years beyond 9999; such a line is a bad one, as it should be.
    format!("{}{separator}{}{fraction}{offset}", local.format("%Y-%m-%d"), local.format("%H:%M:%S"))
}

/// Text that is damaged somewhere.
fn broken(die: &mut Die, text: String) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    let at = die.index(bytes.len());
    match die.roll(5) {
        0 => bytes.truncate(at),
        1 => bytes.extend_from_slice(die.pick(&["x", "{}", ",", "]", "\u{FEFF}", "\0", " null"]).as_bytes()),
        2 => bytes[at] = *die.pick(b"\xFF\x00\"\\{},: \x1F\xC3\n"),
        3 => bytes.insert(at, *die.pick(b"\xFF\x00\"\\{},: \x1F\xED\r")),
        _ => {
            let lone = die.pick(&["\\ud800", "\\udc00\\ud800", "\\uD83Dx", "\\x", "\\u12g4", "\\u"]);
            bytes.splice(at..at, lone.bytes());
        }
    }
    bytes
}
