//! `explain` agrees with the whole stream about each event.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::support::{failure, run, stdout};

/// More than two chunks of 2,048.
const NUM_EVENTS: usize = 5_000;

/// A line of the ledger, with amounts as they are written.
#[derive(Debug, Deserialize)]
struct LedgerLine<'a> {
    timestamp: &'a str,
    event_type: &'a str,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Debug, Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    old_status: Option<&'a str>,
    new_status: Option<&'a str>,
    from: Option<u64>,
    to: Option<u64>,
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    #[serde(borrow)]
    balance: Option<&'a RawValue>,
    currency: Option<&'a str>,
}

/// A row of a history: position, time, type, what changed, balance.
type Row = [String; 5];

impl LedgerLine<'_> {
    /// The account that the event changes.
    fn account(&self) -> u64 {
        let owner = match self.event_type {
            "payment-from" => self.data.from,
            "payment-to" => self.data.to,
            _ => self.data.id.get().parse().ok(),
        };
        owner.unwrap()
    }

    fn change(&self) -> String {
        let Data { from, to, amount, old_status, new_status, .. } = &self.data;
        match (self.event_type, amount) {
            ("payment-from", Some(amount)) => format!("-{amount} to {}", to.unwrap()),
            ("payment-to", Some(amount)) => format!("+{amount} from {}", from.unwrap()),
            _ => old_status.iter().chain(new_status).copied().collect::<Vec<_>>().join(" -> "),
        }
    }
}

/// The lines of the stream of these flags: more than enough for the other sides of all explained payments.
fn stream(flags: &[&str]) -> String {
    stdout(&[flags, &["-n", &(NUM_EVENTS + 1_000).to_string()]].concat())
}

fn explained(flags: &[&str], more: &[&str]) -> String {
    stdout(&[&["explain"], flags, more].concat())
}

/// Chunk edges, both ends, and some in between.
fn places() -> impl Iterator<Item = usize> {
    let edges = [0, 1, 2, 2_046, 2_047, 2_048, 2_049, 4_095, 4_096, NUM_EVENTS - 1];
    edges.into_iter().chain((17..NUM_EVENTS).step_by(397))
}

/// The history of an account up to the event at `place`, by a plain filter over the lines.
fn filtered(lines: &[LedgerLine<'_>], account: u64, place: usize) -> Vec<Row> {
    let mut balance = zero_of(lines, account);
    let events = lines.iter().enumerate().take(place + 1).filter(|(_, line)| line.account() == account);
    let rows = events.map(|(index, line)| {
        if let Some(after) = line.data.balance {
            after.get().clone_into(&mut balance);
        }
        let [time, event_type] = [line.timestamp, line.event_type].map(str::to_owned);
        [index.to_string(), time, event_type, line.change(), balance.clone()]
    });
    rows.collect()
}

/// The balance of an account before its first payment, in the form of its currency.
fn zero_of(lines: &[LedgerLine<'_>], account: u64) -> String {
    let opening = lines.iter().find(|line| line.account() == account).unwrap();
    match opening.data.currency.unwrap() {
        "JPY" => "0",
        "KWD" => "0.000",
        _ => "0.00",
    }
    .to_owned()
}

/// The rows below the heading of each account: columns have two spaces between them.
fn histories(explanation: &str) -> Vec<(u64, &str, Vec<Row>)> {
    let blocks = explanation.split("\n\n").filter(|block| block.starts_with("account "));
    blocks
        .map(|block| {
            let (heading, rows) = block.split_once('\n').unwrap();
            let number = heading.trim_start_matches("account ").split([',', ' ']).next().unwrap();
            let row = |line: &str| -> Row {
                let columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty());
                columns.map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
            };
            (number.parse().unwrap(), heading, rows.lines().map(row).collect())
        })
        .collect()
}

#[test]
fn the_line_is_that_of_the_stream_by_place_and_by_id() {
    for flags in [
        &["-s", "7"][..],
        &["-s", "8", "-d", "2025-01-01"],
        &["-s", "7", "--world", "ledger"],
        &["-s", "8", "--world", "ledger", "-d", "2025-01-01", "--events-per-day", "50000"],
    ] {
        let stream = stream(flags);
        let lines: Vec<_> = stream.lines().collect();
        for place in places() {
            let by_place = explained(flags, &["--event", &place.to_string()]);
            assert_eq!(by_place.lines().next(), Some(lines[place]), "{flags:?}, place {place}");
            assert!(by_place.contains(&format!("\nevent {place} of the ")), "{by_place}");
            assert!(by_place.contains(&format!("\nline {} of a run ", place + 1)), "{by_place}");
            let id = &lines[place][14..50];
            assert_eq!(explained(flags, &["--event-id", id]), by_place, "{flags:?}, id {id}");
        }
    }
}

#[test]
fn the_history_is_what_a_filter_over_the_lines_gives() {
    let flags = ["-s", "5", "--world", "ledger", "--events-per-day", "3000"];
    let stream = stream(&flags);
    let lines: Vec<LedgerLine<'_>> = stream.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut lengths = Vec::new();
    for place in places() {
        let Data { from, to, .. } = lines[place].data;
        let accounts: Vec<_> = match from.zip(to) {
            Some((from, to)) => vec![(from, ", the payer, in "), (to, ", the payee, in ")],
            None => vec![(lines[place].account(), ", in ")],
        };
        let place_text = place.to_string();
        let all = explained(&flags, &["--event", &place_text, "--history", "0"]);
        let last_3 = explained(&flags, &["--event", &place_text, "--history", "3"]);
        let (all, last_3) = (histories(&all), histories(&last_3));
        assert_eq!(all.len(), accounts.len(), "place {place}: one history for each account");
        for (at, (account, role)) in accounts.into_iter().enumerate() {
            let expected = filtered(&lines, account, place);
            let count = expected.len();
            let (number, heading, rows) = &all[at];
            assert_eq!((*number, rows), (account, &expected), "place {place}: the payer comes first");
            let said = format!(": all {count} events up to event {place}");
            assert!(heading.contains(role) && heading.ends_with(&said), "{heading}");
            let (_, heading, rows) = &last_3[at];
            assert_eq!(rows[..], expected[count.saturating_sub(3)..], "place {place}: the last three");
            let said = format!(": the last 3 of {count} events up to event {place}");
            assert!(count <= 3 || heading.ends_with(&said), "{heading}");
            lengths.push(count);
        }
    }
    assert!(lengths.iter().any(|count| *count > 100), "no busy account among those tested: {lengths:?}");
}

#[test]
fn the_other_side_of_a_payment_is_named() {
    let flags = ["-s", "5", "--world", "ledger"];
    let stream = stream(&flags);
    let lines: Vec<LedgerLine<'_>> = stream.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut tested = [0, 0];
    for place in places() {
        let explanation = explained(&flags, &["--event", &place.to_string()]);
        let id = lines[place].data.id.get();
        let of_payment = |(other, line): (usize, &LedgerLine<'_>)| {
            (other != place && line.data.amount.is_some() && line.data.id.get() == id).then_some(other)
        };
        let Some(other) = lines.iter().enumerate().find_map(of_payment) else {
            assert!(!explanation.contains("other side"), "{explanation}");
            continue;
        };
        let said = format!("\nthe other side of the payment is event {other}\n");
        assert!(explanation.contains(&said), "{explanation}");
        tested[usize::from(other > place)] += 1;
    }
    assert!(tested.iter().all(|count| *count > 0), "sides before and behind the event: {tested:?}");
}

#[test]
fn the_last_event_before_the_calendar_ends_is_explained() {
    let flags = ["--world", "ledger", "-d", "9999-12-31"];
    let is_there = |place: &u32| {
        run(&[&["explain"], &flags[..], &["--event", &place.to_string()]].concat()).status.success()
    };
    let places: Vec<_> = (0..5_000).collect();
    let count = places.partition_point(is_there);
    let lines = stdout(&[&flags[..], &["-n", &count.to_string()]].concat());
    let mut in_flight = 0;
    for (place, line) in lines.lines().enumerate().skip(count - 20) {
        let explanation = explained(&flags, &["--event", &place.to_string()]);
        assert_eq!(explanation.lines().next(), Some(line), "place {place}");
        in_flight += usize::from(explanation.contains("the other side of the payment never comes"));
    }
    assert!(
        (1..20).contains(&in_flight),
        "payments whose second side the calendar has no room for: {in_flight}"
    );
    for (place, events) in [(count.to_string(), count as u64 + 1), (u64::MAX.to_string(), u64::MAX)] {
        let said = format!(
            "error: {events} events from 9999-12-31 run past the year 9999: \
             ask for fewer events or an earlier --start-date\n"
        );
        assert_eq!(failure(&[&["explain"], &flags[..], &["--event", &place]].concat()), (1, said));
    }
}

#[test]
fn events_of_the_simple_world_have_no_history() {
    let explanation = explained(&["-s", "7"], &["--event", "4711"]);
    let said: Vec<_> = explanation.lines().skip(2).collect();
    let event_type = stdout(&["-s", "7", "-n", "4712"]).lines().last().map(|line| {
        let line: LedgerLine<'_> = serde_json::from_str(line).unwrap();
        line.event_type.to_owned()
    });
    assert_eq!(
        said,
        [
            &format!("event 4711 of the simple world of seed 7: {}", event_type.unwrap()),
            "line 4712 of a run without faults, event 615 of chunk 2",
            "no history: the events of the simple world are independent",
        ]
    );
}

#[test]
fn an_id_of_another_stream_and_wrong_flags_are_reported() {
    let line = stdout(&["-s", "7", "-n", "1"]);
    let id = &line[14..50];
    let (code, said) = failure(&["explain", "-s", "8", "--event-id", id]);
    assert_eq!(code, 1);
    let expected = format!("error: no event of the stream with seed 8 has the id {id}: give the --seed ");
    assert!(said.starts_with(&expected), "{said}");
    for (flags, expected) in [
        (&[][..], "--event <N>|--event-id <UUID>"),
        (&["--event", "1", "--event-id", id], "cannot be used with '--event-id <UUID>'"),
        (&["--event", "-1"], "'-1'"),
        (&["--event-id", "4711"], "write it as in the events, for example "),
        (&["--event", "1", "--num-events", "5"], "'--num-events'"),
    ] {
        let (code, said) = failure(&[&["explain"], flags].concat());
        assert_eq!((code, said.lines().count()), (2, 1), "{flags:?}: {said}");
        assert!(said.contains(expected), "{flags:?}: {said}");
    }
}
