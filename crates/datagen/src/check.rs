//! Lines in, what is wrong with them out: whether they are a stream of the simple world or of the ledger, from its beginning.
//!
//! ```text
//! files → lines → (faults undone) → events → rules of the world, with accounts and payments → findings
//! ```
//!
//! It is a witness against the generator, so it shares nothing with the generation: its tables, its parser and its accounts are its
//! own. The rules are those of docs/stream.md.
//!
//! A rule that is broken is told once for its line. What may only follow from that (an account that was opened by a line that can't be
//! read, say) is not told: see `ledger.rs`.
//!
//! Invariant: lines are found to be in order only if each of them was held against each rule.

mod event;
mod finding;
mod ledger;
mod lines;
mod simple;
mod terms;
mod text;
mod times;
mod undone;

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;

use self::event::Event;
pub use self::finding::Finding;
use self::finding::{Findings, Place, Wrong};
use self::ledger::Ledger;
use self::lines::InputLine;
use self::times::Times;
use self::undone::Undoing;
use crate::{Error, WorldName};

/// What to check.
#[derive(Clone, Debug)]
pub struct CheckSettings {
    /// In the order of the stream; `-` is standard input.
    pub files: Vec<PathBuf>,
    /// Which world's rules hold; by the first line where none is named.
    pub world: Option<WorldName>,
    /// The log of the faults that are to be undone first.
    pub faults_log: Option<PathBuf>,
    /// The place of the first event in the stream.
    pub first_event: u64,
    /// So many findings are told; all of them where none is named.
    pub problems_max: Option<u64>,
}

/// What was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Events, faults undone.
    pub events: u64,
    /// Findings, those that were not told included.
    pub problems: u64,
    /// How many of them were told.
    pub told: u64,
    /// Of the ledger: accounts that were opened, payments that were begun, and those that the stream ends in.
    pub ledger: Option<(u64, u64, u64)>,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Self { events, problems, told, ledger } = self;
        write!(f, "{events} events")?;
        match ledger {
            Some((accounts, payments, in_flight)) => {
                write!(
                    f,
                    " of the ledger, {accounts} accounts, {payments} payments, {in_flight} of them in flight at the end: "
                )?;
            }
            None => f.write_str(" of the simple world: ")?,
        }
        match (problems, problems - told) {
            (0, _) => f.write_str("all rules hold"),
            (1, 0) => f.write_str("1 problem"),
            (_, 0) => write!(f, "{problems} problems"),
            (_, more) => {
                write!(f, "{problems} problems, {more} of them not shown (--max-problems 0 shows all)")
            }
        }
    }
}

/// Checks a stream; `tell` gets the findings as they are made.
///
/// # Errors
///
/// [`Error::Check`] where a file can't be read, [`Error::CheckLedgerFromBehind`] for what can't be checked, and those of `tell`.
pub fn check(
    settings: &CheckSettings,
    tell: &mut dyn FnMut(&Finding) -> Result<(), Error>,
) -> Result<Checked, Error> {
    let log = settings.faults_log.as_deref().map(undone::read_log).transpose()?;
    let mut checking = Checking::new(settings, tell);
    let mut undoing = log.map(|log| Undoing::new(log, settings.first_event));
    for file in &settings.files {
        lines::read(file, &mut |line: InputLine| match &mut undoing {
            Some(undoing) => undoing.take(line, &mut |clean| checking.take(&clean)),
            None => checking.take(&Ok(line)),
        })?;
    }
    if let Some(undoing) = undoing {
        undoing.finish(&mut |clean| checking.take(&clean))?;
    }
    checking.finish()
}

/// A line of the clean stream, or what is the matter with the log of faults there.
type Clean = Result<InputLine, (Place, Wrong)>;

/// Rules at work.
struct Checking<'t> {
    settings: &'t CheckSettings,
    findings: Findings<'t>,
    world: Option<World>,
    ids: HashSet<u128>,
    events: u64,
}

/// The rules of a world, and what they know of what was.
struct World {
    name: WorldName,
    times: Times,
    ledger: Ledger,
}

impl<'t> Checking<'t> {
    fn new(settings: &'t CheckSettings, tell: &'t mut dyn FnMut(&Finding) -> Result<(), Error>) -> Self {
        let findings = Findings::new(tell, settings.problems_max);
        Self { settings, findings, world: None, ids: HashSet::new(), events: 0 }
    }

    fn take(&mut self, line: &Clean) -> Result<(), Error> {
        let InputLine { place, text, has_end } = match line {
            Ok(line) => line,
            Err((place, wrong)) => return self.findings.add(place, wrong.clone()),
        };
        let world = match &mut self.world {
            Some(world) => world,
            unknown => unknown.insert(World::of(self.settings, text)?),
        };
        self.events += 1;
        let event = Event::read(text, world.name);
        let event = event.and_then(|event| if *has_end { Ok(event) } else { Err(Wrong::no_newline()) });
        let wrong = match event {
            Ok(event) => {
                match event.micros {
                    Some(micros) => world.times.take(micros, place, &mut self.findings)?,
                    None => world.times.lose_one(),
                }
                let own = event.wrong.clone().or_else(|| event.check_id(&mut self.ids));
                let of_world = match world.name {
                    WorldName::Simple => simple::check(&event),
                    WorldName::Ledger => world.ledger.take(&event, place, self.events, &mut self.findings)?,
                };
                own.or(of_world)
            }
            Err(wrong) => {
                world.times.lose_one();
                world.ledger.expect_consequences_of_a_lost_line();
                Some(wrong)
            }
        };
        wrong.map_or(Ok(()), |wrong| self.findings.add(place, wrong))
    }

    fn finish(mut self) -> Result<Checked, Error> {
        let mut ledger = None;
        if let Some(World { name, times, ledger: rules }) = self.world {
            times.finish(&mut self.findings)?;
            if name == WorldName::Ledger {
                ledger = Some(rules.finish(self.events, &mut self.findings)?);
            }
        }
        let (problems, told) = self.findings.counts();
        Ok(Checked { events: self.events, problems, told, ledger })
    }
}

impl World {
    /// The rules for a stream that begins with this line.
    fn of(settings: &CheckSettings, first_line: &[u8]) -> Result<Self, Error> {
        let name = settings.world.unwrap_or_else(|| event::world_of(first_line));
        if name == WorldName::Ledger && settings.first_event > 0 {
            return Err(Error::CheckLedgerFromBehind);
        }
        let begins_at_midnight = settings.first_event == 0;
        let times = match name {
            WorldName::Simple => Times::simple(begins_at_midnight),
            WorldName::Ledger => Times::ledger(),
        };
        Ok(Self { name, times, ledger: Ledger::default() })
    }
}
