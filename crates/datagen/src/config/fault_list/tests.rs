//! Lists as users write them: the numbers that they become, and the messages for mistakes.

use super::*;

fn counts(list: &str, num_events: u64) -> Result<String, FaultListError> {
    list.parse::<FaultList>()?.counts(num_events).map(|counts| counts.to_string())
}

#[test]
fn faults_are_at_their_own_index() {
    assert!(Fault::ALL.iter().zip(0..).all(|(fault, place)| *fault as usize == place));
}

#[test]
fn a_list_becomes_numbers_in_a_fixed_order() {
    for (list, num_events, expected) in [
        ("duplicates=500,corrections=1%", 10_000, "duplicates=500,corrections=100"),
        (" late = 200 , duplicates=0.25% ", 10_000, "duplicates=25,late=200"),
        (
            "too-long=1,blank=2,unknown-events=3,unknown-fields=4",
            11,
            "unknown-fields=4,unknown-events=3,blank=2,too-long=1",
        ),
        ("late=0,ties=0%,stale=1", 10, "stale=1"),
        ("", 10, ""),
        ("  ", 0, ""),
        ("malformed=18446744073709551614", u64::MAX, "malformed=18446744073709551614"),
        ("offsets=50.0000%", 8, "offsets=4"),
        ("offsets=0.0001%", 1_000_000, "offsets=1"),
    ] {
        assert_eq!(counts(list, num_events).as_deref(), Ok(expected), "{list:?} of {num_events}");
        assert_eq!(counts(expected, num_events).as_deref(), Ok(expected), "its own text, parsed again");
    }
}

#[test]
fn percents_are_rounded_half_up() {
    for (percent, num_events, expected) in
        [("50%", 3, 2), ("49.9999%", 1, 0), ("0.5%", 100, 1), ("0.4999%", 100, 0), ("33.3333%", 3, 1)]
    {
        let list: FaultList = format!("ties={percent}").parse().unwrap();
        let found = list.counts(num_events).unwrap().of(Fault::Ties);
        assert_eq!(found, expected, "{percent} of {num_events}");
    }
}

#[test]
fn messages_say_what_is_allowed() {
    for (list, expected) in [
        ("duplicates", "\"duplicates\" is not a fault: write name=COUNT or name=PERCENT%"),
        ("duplicates=1,", "\"\" is not a fault: write name=COUNT"),
        (
            "duplicate=1",
            "unknown fault \"duplicate\"; the faults are duplicates, corrections, stale, ties, late, offsets",
        ),
        ("late=1,ties=2,late=3", "late occurs twice"),
        ("late=", "late=: expected a whole number, or a percent"),
        ("late=%", "late=%: expected"),
        ("late=1.5", "late=1.5: expected"),
        ("late=+5", "late=+5: expected"),
        ("late=-5", "late=-5: expected"),
        ("late=1.%", "late=1.%: expected"),
        ("late=.5%", "late=.5%: expected"),
        ("late=0.00001%", "at most four decimals"),
        ("late=100.0001%", "late=100.0001%: expected"),
        ("late=1 %", "late=1 %: expected"),
        ("late=1=2", "late=1=2: expected"),
        ("late=99999999999999999999", "late=99999999999999999999: expected"),
        ("late=99999999999999999999%", "late=99999999999999999999%: expected"),
        ("late=60,ties=40", "100 faults for 100 events: an event has at most one"),
        ("late=60,ties=41", "101 faults for 100 events: an event has at most one"),
        ("late=18446744073709551615,ties=1", "18446744073709551616 faults for 100 events"),
    ] {
        let error = counts(list, 100).expect_err(list).to_string();
        assert!(error.contains(expected), "{list:?}: {error}");
    }
}

#[test]
fn all_events_are_all_but_the_last() {
    for (list, num_events, expected) in [
        ("late=100%", 10, Ok("late=9")),
        ("late=100%", 1, Ok("")),
        ("late=100%", 0, Ok("")),
        ("late=100%,ties=0", 10, Ok("late=9")),
        ("late=50%,ties=50%", 10, Ok("ties=5,late=4")),
        ("late=50%,ties=50%", 1, Ok("")),
        ("duplicates=50%,late=50%", 3, Ok("duplicates=1,late=1")),
        ("late=99.9999%", 10, Ok("late=9")),
        ("late=100%,ties=0.0001%", 10, Err("faults for 10 events")),
        ("late=60%,ties=40", 100, Err("100 faults for 100 events")),
        ("late=10", 10, Err("10 faults for 10 events")),
        ("late=9", 10, Ok("late=9")),
    ] {
        match (counts(list, num_events), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{list} of {num_events}"),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{list}: {error}"),
            (found, expected) => panic!("{list} of {num_events}: {found:?} instead of {expected:?}"),
        }
    }
}
