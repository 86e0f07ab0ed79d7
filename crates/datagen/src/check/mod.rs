//! Lines → their problems: whether they are a stream of the simple world or of the ledger, from its
//! beginning.
//!
//! ```text
//! files → lines → (faults undone) → events → rules of the world, with accounts and payments → findings
//! ```
//!
//! The check is a witness against the generator, so it shares no code with the generation: its tables, its
//! parser and its accounts are its own. The rules are those of docs/stream.md.
//!
//! A broken rule is reported once, at its line. What may only follow from it is not reported, for example an
//! account that was opened by a line that cannot be parsed; see `ledger.rs`.
//!
//! Invariant: lines pass only if each of them was checked against each rule.

mod event;
mod finding;
mod ledger;
mod lines;
mod payload;
mod simple;
mod terms;
mod text;
mod times;
mod undone;

use std::{collections::HashSet, fmt, path::PathBuf};

use self::{
    event::Event,
    finding::{Findings, Location, Violation},
    ledger::Ledger,
    lines::InputLine,
    times::Times,
    undone::Undoing,
};
pub use self::{finding::Finding, ledger::LedgerTotals};
use crate::{config::WorldName, error::Error};

/// What to check.
#[derive(Debug, Clone)]
pub struct CheckSettings {
    /// The files, in the order of the stream; `-` is standard input.
    pub files: Vec<PathBuf>,
    /// The world whose rules hold; if none, the first line decides.
    pub world: Option<WorldName>,
    /// The log of the faults to undo first.
    pub faults_log: Option<PathBuf>,
    /// The position of the first event in the stream.
    pub first_event: u64,
    /// The maximum number of findings to report; if none, all of them.
    pub problems_max: Option<u64>,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// The number of events, after undoing faults.
    pub events: u64,
    /// The number of findings, including those that were not reported.
    pub problems: u64,
    /// The number of findings that were reported.
    pub reported: u64,
    /// Only in the ledger.
    pub ledger: Option<LedgerTotals>,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Self { events, problems, reported, ledger } = self;
        write!(f, "{events} events")?;
        match ledger {
            Some(LedgerTotals { accounts, payments, in_flight }) => {
                write!(
                    f,
                    " of the ledger, {accounts} accounts, {payments} payments, \
                     {in_flight} of them in flight at the end: "
                )?;
            }
            None => f.write_str(" of the simple world: ")?,
        }
        match (problems, problems - reported) {
            (0, _) => f.write_str("all rules hold"),
            (1, 0) => f.write_str("1 problem"),
            (_, 0) => write!(f, "{problems} problems"),
            (_, more) => {
                write!(f, "{problems} problems, {more} of them not shown")
            }
        }
    }
}

/// Checks a stream; `report` receives the findings as they are made.
///
/// # Errors
///
/// [`Error::Check`] if a file cannot be read, [`Error::CheckEnvelope`] if the first line is a record in
/// another envelope, [`Error::CheckLedgerFromMiddle`] if the beginning of a ledger is missing, and the errors
/// of `report`.
pub fn check(
    settings: &CheckSettings,
    report: &mut dyn FnMut(&Finding) -> Result<(), Error>,
) -> Result<Checked, Error> {
    let log = settings.faults_log.as_deref().map(undone::read_log).transpose()?;
    let mut checking = Checking::new(settings, report);
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

/// A line of the clean stream, or what is wrong with the faults log there.
type Clean = Result<InputLine, (Location, Violation)>;

/// Rules at work.
struct Checking<'t> {
    settings: &'t CheckSettings,
    findings: Findings<'t>,
    world: Option<World>,
    ids: HashSet<u128>,
    events: u64,
}

/// The rules of a world, with what they remember of earlier events.
struct World {
    name: WorldName,
    times: Times,
    ledger: Ledger,
}

impl<'t> Checking<'t> {
    fn new(settings: &'t CheckSettings, report: &'t mut dyn FnMut(&Finding) -> Result<(), Error>) -> Self {
        let findings = Findings::new(report, settings.problems_max);
        Self { settings, findings, world: None, ids: HashSet::new(), events: 0 }
    }

    fn take(&mut self, line: &Clean) -> Result<(), Error> {
        let InputLine { location, text, has_end } = match line {
            Ok(line) => line,
            Err((location, violation)) => return self.findings.add(location, violation.clone()),
        };
        let world = match &mut self.world {
            Some(world) => world,
            unknown => unknown.insert(World::new(self.settings, text)?),
        };
        self.events += 1;
        let event = Event::parse(text, world.name);
        let event = event.and_then(|event| if *has_end { Ok(event) } else { Err(Violation::no_newline()) });
        let violation = match event {
            Ok(event) => {
                match event.micros {
                    Some(micros) => world.times.take(micros, location, &mut self.findings)?,
                    None => world.times.lose_one(),
                }
                let own = event.violation.clone().or_else(|| event.check_id(&mut self.ids));
                let of_world = match world.name {
                    WorldName::Simple => simple::check(&event),
                    WorldName::Ledger => {
                        world.ledger.take(&event, location, self.events, &mut self.findings)?
                    }
                };
                own.or(of_world)
            }
            Err(violation) => {
                world.times.lose_one();
                world.ledger.expect_consequences_of_lost_line();
                Some(violation)
            }
        };
        violation.map_or(Ok(()), |violation| self.findings.add(location, violation))
    }

    fn finish(mut self) -> Result<Checked, Error> {
        let mut ledger = None;
        if let Some(World { name, times, ledger: rules }) = self.world {
            times.finish(&mut self.findings)?;
            if name == WorldName::Ledger {
                ledger = Some(rules.finish(self.events, &mut self.findings)?);
            }
        }
        let (problems, reported) = self.findings.counts();
        Ok(Checked { events: self.events, problems, reported, ledger })
    }
}

impl World {
    /// The rules for a stream that begins with this line.
    fn new(settings: &CheckSettings, first_line: &[u8]) -> Result<Self, Error> {
        if event::is_in_other_envelope(first_line) {
            return Err(Error::CheckEnvelope);
        }
        let name = settings.world.unwrap_or_else(|| event::world_of(first_line));
        if name == WorldName::Ledger && settings.first_event > 0 {
            return Err(Error::CheckLedgerFromMiddle);
        }
        let begins_at_midnight = settings.first_event == 0;
        let times = match name {
            WorldName::Simple => Times::simple(begins_at_midnight),
            WorldName::Ledger => Times::ledger(),
        };
        Ok(Self { name, times, ledger: Ledger::default() })
    }
}
