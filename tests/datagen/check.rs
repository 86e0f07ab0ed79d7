//! `datagen check` accepts the generator's output, and reports a changed line with its location and rule.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io::Write as _,
    process::{Output, Stdio},
};

use tempfile::TempDir;

use crate::support::{command, failure, names, run, stdout, write};

/// Runs `check` with these lines on standard input.
fn check(lines: impl AsRef<[u8]> + Send, arguments: &[&str]) -> Output {
    let mut child = command(&[&["check"], arguments].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || drop(stdin.write_all(lines.as_ref())));
        child.wait_with_output().unwrap()
    })
}

/// The problems, without `-:`.
fn problems(output: &Output) -> Vec<String> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| line.strip_prefix("-:").unwrap().to_owned()).collect()
}

#[track_caller]
fn assert_clean(output: &Output, said: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains(said) && stderr.contains("all rules hold"), "{stderr}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_stream_is_in_order() {
    for world in ["simple", "ledger"] {
        for arguments in
            [["-s", "1", "-n", "20000"], ["-s", "2", "-n", "1"], ["-n", "9000", "-d", "2023-12-30"]]
        {
            let lines = stdout(&[&["--world", world], &arguments[..]].concat());
            assert_clean(&check(&lines, &[]), &format!("{} events", lines.lines().count()));
        }
    }
    assert_clean(&check("", &[]), "0 events");
}

#[test]
fn files_are_one_stream() {
    for compress in [&[][..], &["--compress", "gzip"], &["--compress", "zstd"]] {
        let directory = TempDir::new().unwrap();
        write(directory.path(), &[&["--world", "ledger", "-n", "6000", "--files", "3"], compress].concat());
        let paths: Vec<_> = names(directory.path()).iter().map(|name| directory.path().join(name)).collect();
        let paths: Vec<_> = paths.iter().map(|path| path.to_str().unwrap()).collect();
        assert_clean(&run(&[&["check"], &paths[..]].concat()), "6000 events");
        let output = run(&["check", paths[1], paths[0], paths[2]]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with(paths[1]), "problems name their file");
    }
}

#[test]
fn faults_are_undone_by_their_log() {
    const FAULTS: &str = "duplicates=30,corrections=40,stale=20,ties=20,late=200,offsets=40,unknown-fields=30,malformed=60,\
                          unknown-events=20,blank=20,too-long=1";
    for world in ["simple", "ledger"] {
        let directory = TempDir::new().unwrap();
        let log = directory.path().join("log");
        let stream =
            ["--world", world, "-n", "8000", "--faults", FAULTS, "--faults-log", log.to_str().unwrap()];
        // Some lines are not UTF-8.
        let lines = run(&stream).stdout;
        assert_clean(&check(&lines, &["--faults-log", log.to_str().unwrap()]), "8000 events");
        assert_eq!(check(&lines, &["-q", "--max-problems", "1"]).status.code(), Some(1));
        // In several files; line numbers restart in each of them.
        let files = TempDir::new().unwrap();
        write(files.path(), &[&stream[..], &["--rotate", "day", "--compress", "zstd"]].concat());
        let paths: Vec<_> = names(files.path()).iter().map(|name| files.path().join(name)).collect();
        let paths = paths.iter().map(|path| path.to_str().unwrap());
        let arguments: Vec<_> =
            ["check", "--faults-log", log.to_str().unwrap()].into_iter().chain(paths).collect();
        assert_clean(&run(&arguments), "8000 events");
        // With a line missing in the log.
        let text = fs_err::read_to_string(&log).unwrap();
        let (shorter, entry) = text.trim_end().rsplit_once('\n').unwrap();
        fs_err::write(&log, format!("{shorter}\n")).unwrap();
        assert_eq!(run(&arguments).status.code(), Some(1), "{entry}");
    }
}

#[test]
fn a_run_from_the_middle_is_checked_where_that_is_possible() {
    let lines = stdout(&["-n", "500", "--first-event", "1234"]);
    assert_clean(&check(&lines, &["--first-event", "1234"]), "500 events of the simple world");
    assert_eq!(
        problems(&check(&lines, &[])),
        ["1: timestamp: expected midnight in the first event, found another time"]
    );
    let lines = stdout(&["--world", "ledger", "-n", "50", "--first-event", "1234"]);
    let output = check(&lines, &["--first-event", "1234"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("from its first event"));
}

/// A change: among the lines that contain `holds`, the one with this number gets `new` instead of the first
/// `old`, or instead of the whole line if `old` is empty.
struct Edit {
    holds: &'static str,
    number: usize,
    old: &'static str,
    new: &'static str,
    rule: &'static str,
}

const fn edit(
    holds: &'static str,
    number: usize,
    old: &'static str,
    new: &'static str,
    rule: &'static str,
) -> Edit {
    Edit { holds, number, old, new, rule }
}

const SIMPLE: [Edit; 21] = [
    edit("", 40, "{\"event_id\": \"", "{\"event_id\": \"X", "event-id"),
    edit("", 0, "00:00:00", "00:00:07", "timestamp"),
    edit("", 60, "T", " ", "timestamp"),
    edit("", 61, "2024-10-10", "2024-10-17", "timestamp"),
    edit("", 62, "2024-10-10", "2023-10-10", "timestamp"),
    edit("", 299, "2024-10-10", "2025-10-10", "timestamp"),
    edit("account-open", 3, "account\"", "transaction\"", "domain-and-type"),
    edit("account-open", 4, "account-open", "account-opened", "domain-and-type"),
    edit("payment-to", 5, "payment-to", "status-change", "domain-and-type"),
    edit("", 70, "\": ", "\":", "form"),
    edit("", 71, "}", "} ", "form"),
    edit("payment", 7, "\"to\": ", "\"too\": ", "form"),
    edit("", 72, "{\"event_id\"", "{\"x\": 1, \"event_id\"", "keys"),
    edit("", 73, "}}", "}", "json"),
    edit("", 74, "", "", "json"),
    edit("account", 8, "\"data\": {\"id\": ", "\"data\": {\"id\": 1000000", "entity-id"),
    edit("account-open", 9, "PENDING", "OPEN", "status"),
    edit("account", 10, "\"reason\": \"", "\"reason\": \"x", "reason"),
    edit("payment", 11, "\"amount\": ", "\"amount\": 1000", "amount"),
    edit("payment", 12, "\"amount\": ", "\"amount\": -", "amount"),
    edit("payment", 13, "\"amount\": ", "\"amount\": 0", "amount"),
];

const LEDGER: [Edit; 27] = [
    edit("", 40, "\"event_id\": \"", "\"event_id\": \"0", "event-id"),
    edit("", 4000, ".", ".9", "timestamp"),
    edit("", 4001, "\"timestamp\": \"2024", "\"timestamp\": \"2034", "timestamp"),
    edit("", 4002, "\"timestamp\": \"2024", "\"timestamp\": \"2014", "timestamp"),
    edit("account-open", 30, "account-open", "status-change", "domain-and-type"),
    edit("payment-from", 900, "payment-from", "payment-to", "payment-pair"),
    edit("payment-to", 901, "payment-to", "payment-from", "payment-pair"),
    edit("account-open", 31, "PENDING", "OPEN", "life"),
    edit("account-open", 32, "\"data\": {\"id\": ", "\"data\": {\"id\": 9", "account-id"),
    edit("\"old_status\": \"PENDING\"", 33, "PENDING", "SUSPENDED", "life"),
    edit(
        "\"new_status\": \"SUSPENDED\"",
        4,
        "\"new_status\": \"SUSPENDED\"",
        "\"new_status\": \"PENDING\"",
        "life",
    ),
    edit("account-close", 1, "account-close", "status-change", "life"),
    edit("account-close", 2, "\"old_status\": \"", "\"old_status\": \"X", "life"),
    edit("account-open", 34, "\"channel\": \"", "\"channel\": \"by ", "channel"),
    edit("account-open", 35, "\"country\": \"", "\"country\": \"x", "holder"),
    edit("account-open", 36, "\"currency\": \"", "\"currency\": \"X", "currency"),
    edit("payment-from", 1000, "\"amount\": ", "\"amount\": 1", "balance"),
    edit("payment-to", 1001, "\"amount\": ", "\"amount\": 1", "payment-pair"),
    edit("payment-from", 1002, "\"balance\": ", "\"balance\": 1", "balance"),
    edit("payment-to", 1003, "\"channel\"", "\"channel \"", "form"),
    edit("\"currency\": \"EUR\", \"balance\"", 1004, ", \"currency\"", "0, \"currency\"", "amount"),
    edit("\"currency\": \"USD\", \"balance\"", 200, "USD", "XXX", "currency"),
    edit("payment-to", 1005, "\"from\": 1", "\"from\": 2", "account-id"),
    edit("payment-from", 1006, "\"data\": {\"id\": \"", "\"data\": {\"id\": \"x", "payment-id"),
    edit("\"channel\": \"transfer\"", 300, "transfer", "card", "merchant"),
    edit("\"category\": ", 301, "\"category\": ", "\"category\": 1", "merchant"),
    edit("payment-from", 1007, "}", "", "json"),
];

#[test]
fn one_line_that_was_changed_is_named_with_the_rule() {
    for (world, events, edits) in [("simple", "300", &SIMPLE[..]), ("ledger", "9000", &LEDGER[..])] {
        let lines = stdout(&["--world", world, "-n", events, "-s", "4"]);
        for Edit { holds, number, old, new, rule } in edits {
            let mut lines: Vec<_> = lines.lines().map(str::to_owned).collect();
            let of_kind = lines.iter().enumerate().filter(|(_, line)| line.contains(holds));
            let (index, line) = of_kind.map(|(index, line)| (index, line.clone())).nth(*number).unwrap();
            let changed = if old.is_empty() { String::new() } else { line.replacen(old, new, 1) };
            assert_ne!(changed, line, "{old:?} is in {line}");
            lines[index].clone_from(&changed);
            let output = check(&(lines.join("\n") + "\n"), &[]);
            let found = problems(&output);
            let expected = format!("{}: {rule}: expected ", index + 1);
            assert!(
                found.len() == 1 && found[0].starts_with(&expected),
                "{expected}…\n{found:#?}\nof {changed}"
            );
            assert_eq!(output.status.code(), Some(1));
        }
    }
}

/// Whatever letter is changed, there is at most one problem. It is in that line or, where two lines
/// contradict each other and either may be wrong, in the next line that is related.
#[test]
fn one_letter_that_was_changed_is_one_problem_at_most() {
    let mut state: u64 = 1;
    let mut roll = |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % sides
    };
    for world in ["simple", "ledger"] {
        let lines = stdout(&["--world", world, "-n", "2500", "-s", "6"]);
        let (mut seen, all) = (0, 80);
        for _ in 0..all {
            let mut at = roll(lines.len());
            while !lines.as_bytes()[at].is_ascii_alphanumeric() {
                at = roll(lines.len());
            }
            let other = if lines.as_bytes()[at].is_ascii_digit() {
                b"0123456789"[roll(10)]
            } else {
                b"aX{\" ,"[roll(6)]
            };
            let mut changed = lines.clone().into_bytes();
            changed[at] = other;
            let found = problems(&check(&changed, &[]));
            let line = lines[..at].matches('\n').count() + 1;
            assert!(
                found.len() <= 1,
                "{} for {} in line {line}: {found:#?}",
                char::from(other),
                &lines[at..=at]
            );
            if let Some(found) = found.first() {
                let told: usize = found.split(':').next().unwrap().parse().unwrap();
                assert!((line..line + 1_000).contains(&told), "line {line}: {found}");
                seen += 1;
            }
        }
        assert!(seen * 4 > all * 3, "{seen} of {all} were seen: ids and words may be others");
    }
}

/// Changes that can only be detected with the help of another line.
#[test]
fn one_line_that_contradicts_another_is_named() {
    let id_of = |line: &str| line[14..50].to_owned();
    let lines = stdout(&["-n", "300", "-s", "4"]);
    let mut changed: Vec<_> = lines.lines().map(str::to_owned).collect();
    changed[200] = changed[200].replace(&id_of(&changed[200]), &id_of(&changed[7]));
    assert_eq!(rules(&changed), ["201: event-id"]);
    changed[200].replace_range(28..29, "5");
    assert_eq!(rules(&changed), ["201: event-id"], "version 5");
    let mut changed: Vec<_> = lines.lines().map(str::to_owned).collect();
    let payment = changed.iter().rposition(|line| line.contains("payment")).unwrap();
    let to = changed[payment].split("\"to\": ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let from = changed[payment].split("\"from\": ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    changed[payment] = changed[payment].replace(&format!("\"from\": {from}"), &format!("\"from\": {to}"));
    assert_eq!(rules(&changed), [format!("{}: parties", payment + 1)]);

    let lines = stdout(&["--world", "ledger", "-n", "9000", "-s", "4"]);
    let all: Vec<_> = lines.lines().map(str::to_owned).collect();
    let second = all.iter().rposition(|line| line.contains("payment-to")).unwrap();
    let payment_id = all[second].split("\"data\": {\"id\": \"").nth(1).unwrap()[..16].to_owned();
    let mut changed = all.clone();
    changed[second] = changed[second].replace(&payment_id, "0123456789abcdef");
    assert_eq!(rules(&changed), [format!("{}: payment-pair", second + 1)]);
    let from_of = |line: &str| line.split("\"from\": ").nth(1).unwrap()[..10].to_owned();
    let other =
        all[..second].iter().rev().filter(|line| line.contains("payment-to")).map(|line| from_of(line));
    let other =
        other.filter(|from| *from != from_of(&all[second])).find(|from| !all[second].contains(from)).unwrap();
    let mut changed = all.clone();
    changed[second] = changed[second].replace(&from_of(&all[second]), &other);
    assert_eq!(rules(&changed), [format!("{}: payment-pair", second + 1)], "another account that pays");
    // Without the newline at its end.
    let output = check(lines.trim_end(), &[]);
    assert_eq!(
        problems(&output),
        ["9000: form: expected a newline at the end of the line, found the end of the file"]
    );
}

fn rules(lines: &[String]) -> Vec<String> {
    let found = problems(&check(&(lines.join("\n") + "\n"), &[]));
    found.iter().map(|problem| problem.split(": expected").next().unwrap().to_owned()).collect()
}

/// A handwritten stream.
#[derive(Default)]
struct ByHand {
    lines: Vec<String>,
}

const ADA: u64 = 1_000_000_001;
const BOB: u64 = 1_000_000_002;

impl ByHand {
    fn add(&mut self, domain: &str, event_type: &str, data: &str) -> &mut Self {
        let number = self.lines.len();
        self.lines.push(format!(
            "{{\"event_id\": \"00000000-0000-4000-8000-{number:012x}\", \"timestamp\": \"2024-10-10T{:02}:{:02}:{:02}.000000\", \"domain\": \
             \"{domain}\", \"event_type\": \"{event_type}\", \"data\": {{{data}}}}}",
            number / 3600,
            number / 60 % 60,
            number % 60
        ));
        self
    }

    fn open(&mut self, id: u64) -> &mut Self {
        let rest = "\"reason\": \"Why not.\", \"channel\": \"phone\", \"currency\": \"EUR\", \"holder\": {\"name\": \"Ada Baker\", \"country\": \"DE\"}";
        self.add(
            "account",
            "account-open",
            &format!("\"id\": {id}, \"old_status\": null, \"new_status\": \"PENDING\", {rest}"),
        );
        self.change(id, "PENDING", "OPEN")
    }

    fn change(&mut self, id: u64, old: &str, new: &str) -> &mut Self {
        let event_type = if new == "CLOSED" { "account-close" } else { "status-change" };
        let data = format!(
            "\"id\": {id}, \"old_status\": \"{old}\", \"new_status\": \"{new}\", \"reason\": \"Why not.\", \"channel\": \"phone\""
        );
        self.add("account", event_type, &data)
    }

    fn side(
        &mut self,
        side: &str,
        number: u64,
        (from, to): (u64, u64),
        amount: &str,
        balance: &str,
    ) -> &mut Self {
        let mut data =
            format!("\"id\": \"{number:016x}\", \"to\": {to}, \"from\": {from}, \"amount\": {amount}, ");
        write!(
            data,
            "\"currency\": \"EUR\", \"balance\": {balance}, \"channel\": \"transfer\", \"merchant\": null"
        )
        .unwrap();
        self.add("transaction", &format!("payment-{side}"), &data)
    }

    fn rules(&self) -> Vec<String> {
        rules(&self.lines)
    }
}

#[test]
fn accounts_and_payments_follow_from_each_other() {
    let begun = || {
        let mut stream = ByHand::default();
        stream.open(ADA).open(BOB);
        stream
    };
    let (there, back) = ((ADA, BOB), (BOB, ADA));
    assert_eq!(begun().rules(), [""; 0]);
    let paid = |stream: &mut ByHand, number, amount: &str, payer: &str, payee: &str| {
        stream.side("from", number, there, amount, payer).side("to", number, there, amount, payee);
    };
    let mut stream = begun();
    paid(&mut stream, 1, "1000.00", "-1000.00", "1000.00");
    stream.change(BOB, "OPEN", "CLOSED");
    assert_eq!(stream.rules(), [""; 0], "to the limit, and a close with money");
    stream.change(BOB, "CLOSED", "OPEN");
    assert_eq!(stream.rules(), ["8: life"], "nothing behind a close");

    let mut stream = begun();
    paid(&mut stream, 1, "1000.01", "-1000.01", "1000.01");
    assert_eq!(stream.rules(), ["5: balance-limit"]);
    stream = begun();
    paid(&mut stream, 1, "5.00", "-5.00", "5.00");
    stream.change(ADA, "OPEN", "CLOSED");
    assert_eq!(stream.rules(), ["7: close-in-debt"]);
    stream = begun();
    stream
        .side("from", 1, there, "5.00", "-5.00")
        .change(BOB, "OPEN", "SUSPENDED")
        .side("to", 1, there, "5.00", "5.00");
    assert_eq!(stream.rules(), ["7: payment-accounts"], "both are open at both sides");
    stream = begun();
    stream.open(BOB);
    assert_eq!(stream.rules(), ["5: opened-once"]);
    stream = begun();
    paid(&mut stream, 1, "5.00", "-5.00", "5.00");
    stream.side("from", 1, back, "5.00", "0.00").side("to", 1, back, "5.00", "0.00");
    assert_eq!(stream.rules(), ["7: payment-pair"], "an id is of one payment");
    stream = begun();
    stream.side("from", 1, (ADA, ADA), "5.00", "-5.00");
    assert_eq!(stream.rules(), ["5: payment-accounts"]);
    stream = begun();
    stream.change(1_000_000_003, "PENDING", "OPEN");
    assert_eq!(stream.rules(), ["5: life"], "no account-open before");
    stream = begun();
    stream.side("from", 1, there, "5.00", "-5.00");
    for _ in 0..500 {
        stream.change(BOB, "OPEN", "SUSPENDED").change(BOB, "SUSPENDED", "OPEN");
    }
    assert_eq!(stream.rules(), [""; 0], "in flight");
    stream.change(BOB, "OPEN", "SUSPENDED");
    assert_eq!(stream.rules(), ["5: payment-pair"], "no second side within 1,000 events");
}

#[test]
fn as_many_problems_are_shown_as_wanted() {
    let lines = stdout(&["-n", "300"]).replace("}}", "}} ");
    for (arguments, shown) in [(&[][..], 20), (&["--max-problems", "3"], 3), (&["--max-problems", "0"], 300)]
    {
        let output = check(&lines, arguments);
        assert_eq!((problems(&output).len(), output.status.code()), (shown, Some(1)));
        assert!(String::from_utf8_lossy(&output.stderr).contains("300 problems"), "{output:?}");
    }
    let output = check(&lines, &["-q"]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let rules: BTreeSet<_> =
        problems(&output).iter().map(|line| line.split(": ").nth(1).unwrap().to_owned()).collect();
    assert_eq!(rules, BTreeSet::from(["form".to_owned()]));
}

#[test]
fn what_cannot_be_read_is_named() {
    let (code, said) = failure(&["check", "no such file"]);
    assert_eq!(code, 1);
    assert!(said.contains("cannot read no such file"), "{said}");
    assert_eq!(failure(&["check", "-", "--world", "flat"]).0, 2);
    let directory = TempDir::new().unwrap();
    let log = directory.path().join("log");
    fs_err::write(&log, "no log\n").unwrap();
    let (code, said) = failure(&["check", "--faults-log", log.to_str().unwrap(), "/dev/null"]);
    assert_eq!(code, 1);
    assert!(said.contains("line 1: not an entry of a faults log"), "{said}");
}
