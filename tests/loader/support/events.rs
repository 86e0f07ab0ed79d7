//! Lines as an application would write them, and a seeded die.

use std::fmt::Write as _;

/// The built-in event types: domain, name.
pub(crate) const TYPES: [(&str, &str); 5] = [
    ("account", "account-open"),
    ("account", "account-close"),
    ("account", "status-change"),
    ("transaction", "payment-to"),
    ("transaction", "payment-from"),
];

/// A line with any payload, without its newline.
pub(crate) fn event(event_id: &str, timestamp: &str, event_type: &str, data: &str) -> String {
    let domain = TYPES.iter().find(|(_, name)| *name == event_type).map_or("account", |(domain, _)| domain);
    format!(
        r#"{{"event_id": "{event_id}", "timestamp": "{timestamp}", "domain": "{domain}", "event_type": "{event_type}", "data": {data}}}"#
    )
}

/// An `account-open` of entity `id`: the shortest whole event there is.
pub(crate) fn account_open(event_id: &str, timestamp: &str, id: i32) -> String {
    event(event_id, timestamp, "account-open", &format!(r#"{{"id": {id}}}"#))
}

/// Lines → a file.
pub(crate) fn file_of<L: AsRef<str>>(lines: impl IntoIterator<Item = L>) -> String {
    lines.into_iter().fold(String::new(), |mut file, line| {
        writeln!(file, "{}", line.as_ref()).unwrap();
        file
    })
}

/// `count` good events from 2024-10-10 on, all with different ids and timestamps, `seconds` apart, in that
/// order.
pub(crate) fn plain_events(seed: u64, count: u32, seconds: u32) -> Vec<String> {
    let mut die = Die::new(seed);
    (0..count).map(|index| plain_event(&mut die, index, index * seconds)).collect()
}

/// One good event, `second` seconds after 2024-10-10T00:00:00; its id begins with its index.
pub(crate) fn plain_event(die: &mut Die, index: u32, second: u32) -> String {
    let start = chrono::DateTime::from_timestamp_secs(1_728_518_400).unwrap();
    let timestamp =
        (start + chrono::TimeDelta::seconds(second.into())).format("%Y-%m-%dT%H:%M:%S").to_string();
    let event_id = format!("{index:08x}-0000-4000-8000-{:012x}", die.roll(1 << 48));
    let (domain, event_type) = *die.pick(&TYPES);
    let id = 1 + die.roll(999_999);
    let data = if domain == "account" {
        let status = die.pick(&["OPEN", "CLOSED", "PENDING"]);
        format!(
            r#"{{"id": {id}, "old_status": null, "new_status": "{status}", "reason": "Reason {}."}}"#,
            die.roll(99)
        )
    } else {
        let (to, from, cents) = (1 + die.roll(999_999), 1 + die.roll(999_999), die.roll(100_000));
        format!(r#"{{"id": {id}, "to": {to}, "from": {from}, "amount": {}.{:02}}}"#, cents / 100, cents % 100)
    };
    event(&event_id, &timestamp, event_type, &data)
}

/// What a real source looks like: events of three days in order, some delivered twice, some corrected later,
/// also after midnight, some bad. The versions of an event have different timestamps, so that the order of
/// lines means nothing.
pub(crate) fn three_days(seed: u64) -> Vec<String> {
    let mut die = Die::new(seed);
    let mut lines = Vec::new();
    for index in 0..300_u32 {
        let second = index * 864;
        let line = plain_event(&mut die, index, second);
        match die.roll(12) {
            0 => lines.push(line.clone()), // delivered twice
            1 => {
                // Corrected one day later: same id, same type, another payload.
                let (day, next_day) = (format!("2024-10-{:02}T", 10 + second / 86_400), 11 + second / 86_400);
                let corrected = line.replace(&day, &format!("2024-10-{next_day:02}T"));
                lines.push(corrected.replace("\"id\": ", "\"id\": 1"));
            }
            2 => lines.push(line.replace("\"data\"", "\"event_id\": \"again\", \"data\"")), // bad, of its own day
            3 => lines.push(line[..line.len() / 2].to_owned()),                             // bad, of no day
            4 => lines.push(String::new()),
            _ => {}
        }
        lines.push(line);
    }
    lines
}

/// A seeded source of choices (`SplitMix64`): the same seed, the same choices, on any machine.
pub(crate) struct Die(u64);

impl Die {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }

    /// An index below `len`.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.roll(len as u64)).unwrap()
    }

    /// True once in `times`.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.index(choices.len())]
    }

    /// Brings `items` into some order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}
