//! A loader that makes a mistake, in some combinations that the mistake matters to: found out each time, and by what.

use eventloader::mistakes::Mistake;

use super::{
    combination::{Combination, Way},
    proof::FoundOut,
};

/// Combinations in which a loader that makes this mistake leaves something wrong.
fn that_matter(mistake: Mistake) -> Vec<Combination> {
    let of_both = |faults: &str| {
        let simple = Combination::new("simple", &["-n", "3000", "-s", "1", "--faults", faults]);
        let mut ledger = Combination::new(
            "ledger",
            &["-n", "2500", "-s", "2", "--events-per-day", "500", "--faults", faults],
        );
        ledger.flags = vec!["--partition-by".to_owned(), "hour".to_owned()];
        let mut spilled = simple.clone();
        spilled.flags = ["--flatten", "false", "--threads", "2"].map(str::to_owned).to_vec();
        vec![simple, ledger, spilled]
    };
    let with = |change: &dyn Fn(&mut Combination), mut combinations: Vec<Combination>| {
        combinations.iter_mut().for_each(change);
        combinations
    };
    match mistake {
        Mistake::TiesToFirst => of_both("ties=40,late=100"),
        Mistake::OldestWins => of_both("corrections=60"),
        Mistake::LastLineWins => of_both("stale=50"),
        Mistake::DuplicatesKept => of_both("duplicates=60"),
        Mistake::LaterDaysIgnored => with(&|made| made.way = Way::DayByDay, of_both("corrections=100")),
        Mistake::OffsetsIgnored => of_both("offsets=80"),
        Mistake::LocalDays | Mistake::NullsAsEmpty | Mistake::PartitionLost => of_both("blank=1"),
        Mistake::DecimalsAsFloats => of_both("late=10"),
        Mistake::UnendedLineLost => with(&|made| made.ends_without_newline = true, of_both("late=10")),
        Mistake::BlockEdgeLost => {
            // More than one block, of 1 MiB with so little memory.
            let flags = ["--memory", "64MiB", "--threads", "2"].map(str::to_owned);
            let mut simple = Combination::new("simple", &["-n", "9000"]);
            simple.flags = flags.to_vec();
            let mut ledger = Combination::new("ledger", &["-n", "6000", "-s", "3"]);
            ledger.flags = flags.to_vec();
            vec![simple, ledger]
        }
        Mistake::BadLinesDropped | Mistake::BadLinesNotKept => of_both("malformed=30"),
        Mistake::RowTwice => {
            // Partitions of more than one chunk of 2,048 rows.
            ["4", "5"]
                .map(|seed| {
                    Combination::new("ledger", &["-n", "9000", "-s", seed, "--events-per-day", "9000"])
                })
                .to_vec()
        }
        Mistake::HeldIgnored => {
            let merge = |made: &mut Combination| {
                made.way = Way::Merges;
                made.generate.extend(["--files", "4"].map(str::to_owned));
            };
            with(&merge, of_both("corrections=150,late=100"))
        }
    }
}

/// Whether it was told by whom docs/manifest.md says, and where: the day and the type, or the quarantine.
fn is_told(mistake: Mistake, found_out: &FoundOut) -> bool {
    let names_partition = |said: &str| {
        let place = said.split(": ").next().unwrap_or_default();
        let types = ["account-open", "account-close", "status-change", "payment-to", "payment-from"];
        place.starts_with("2024/10/") && place.split('/').any(|part| types.contains(&part))
    };
    let by_load = matches!(mistake, Mistake::BadLinesDropped | Mistake::RowTwice);
    let by_verify = matches!(
        mistake,
        Mistake::DuplicatesKept | Mistake::LaterDaysIgnored | Mistake::LocalDays | Mistake::HeldIgnored
    );
    match found_out {
        FoundOut::Load(said) => by_load && said.starts_with("error: the accounting does not balance: "),
        FoundOut::Verify(said) => by_verify && names_partition(said),
        FoundOut::Manifest(said) if mistake == Mistake::BadLinesNotKept => {
            said.starts_with("_quarantine: holds ")
        }
        FoundOut::Manifest(said) => !by_load && !by_verify && names_partition(said),
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "what found it out is the result")]
fn each_mistake_is_found_out_every_time() {
    for mistake in Mistake::ALL {
        for combination in that_matter(mistake) {
            let right = combination.run(None);
            assert!(right.is_proved(), "{}: without it\n{right}", mistake.name());
            let wrong = combination.run(Some(mistake.name()));
            let found_out = wrong.found_out();
            let found_out =
                found_out.unwrap_or_else(|| panic!("{} was not found out\n{wrong}", mistake.name()));
            assert!(is_told(mistake, &found_out), "{} was told otherwise\n{wrong}", mistake.name());
            println!("{}: {found_out:?}", mistake.name());
        }
    }
}

#[test]
fn a_mistake_that_nobody_knows_is_refused() {
    let wrong = Combination::new("simple", &["-n", "10"]).run(Some("too-slow"));
    let found_out = wrong.found_out();
    let expected = "error: EVENTLOADER_MISTAKE: there is no mistake too-slow; give one of ties-to-first, ";
    let is_refused = matches!(&found_out, Some(FoundOut::Load(said)) if said.starts_with(expected));
    assert!(is_refused, "{found_out:?}");
}
