//! A die → events with a manifest, and a way to load them.
//!
//! Invariant: a right loader loads every combination rightly: files are shuffled only if their order means
//! nothing, and the latest version is decided within days only if no event has versions on several days.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use clap::Parser;
use datagen::{EnvelopeName, deliver::RunSpec};
use serde_json::Value;

use super::proof::Proof;
use crate::support::{
    events::Die,
    workdir::{Loader, Outcome, Workdir},
};

/// What may change in the course of a stream.
const CHANGES: [&str; 5] = ["add", "drop", "widen", "nest", "split"];

/// What is generated, and how it is loaded.
#[derive(Debug, Clone)]
pub(super) struct Combination {
    pub(super) is_ledger: bool,
    /// Whose records carry the events, if not their own envelope.
    pub(super) envelope: Option<EnvelopeName>,
    /// The arguments of datagen, except for those about the destination.
    pub(super) generate: Vec<String>,
    pub(super) flags: Vec<String>,
    pub(super) way: Way,
    /// Files are renamed, so that they are loaded in another order.
    pub(super) is_shuffled: bool,
    /// The file operation at which each run is killed, before it is repeated.
    pub(super) killed_at: Option<u64>,
    /// The last newline of all is taken away.
    pub(super) ends_without_newline: bool,
}

/// What a combination generates.
pub(super) struct Generated {
    /// In the order in which they are loaded.
    pub(super) files: Vec<PathBuf>,
    manifest: Value,
    /// The command lines that generate the same.
    prepared: Vec<String>,
}

impl Generated {
    /// Where the files are.
    pub(super) fn directory(&self) -> String {
        let parent = self.files.first().and_then(|file| file.parent());
        parent.unwrap_or(Path::new(".")).display().to_string()
    }

    /// The days that have rows.
    pub(super) fn days(&self) -> BTreeSet<String> {
        let partitions = self.manifest["partitions"].as_array().unwrap();
        partitions.iter().map(|partition| partition["day"].as_str().unwrap().to_owned()).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// All in one run.
    Backfill,
    /// A run for each day.
    DayByDay,
    /// A merge of each file.
    Merges,
}

/// As one would type it on a command line.
impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "datagen {}; eventloader {}", self.generate.join(" "), self.flags.join(" "))?;
        match self.way {
            Way::Backfill => write!(f, " --backfill")?,
            Way::DayByDay => write!(f, " --date each day")?,
            Way::Merges => write!(f, " --backfill --mode merge, each file")?,
        }
        if self.is_shuffled {
            write!(f, ", files in random order")?;
        }
        if let Some(operation) = self.killed_at {
            write!(f, ", killed at operation {operation} and run again")?;
        }
        if self.ends_without_newline {
            write!(f, ", without the last newline")?;
        }
        Ok(())
    }
}

fn texts(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|&argument| argument.to_owned()).collect()
}

impl Combination {
    /// Events of a world, loaded in one run.
    pub(super) fn new(world: &str, generate: &[&str]) -> Self {
        Self {
            is_ledger: world == "ledger",
            envelope: None,
            generate: texts(&[&["--world", world], generate].concat()),
            flags: Vec::new(),
            way: Way::Backfill,
            is_shuffled: false,
            killed_at: None,
            ends_without_newline: false,
        }
    }

    /// Events in their own envelope.
    pub(super) fn random(die: &mut Die) -> Self {
        Self::random_in(die, None)
    }

    /// Events in the records of another producer.
    pub(super) fn random_dressed(die: &mut Die) -> Self {
        let envelope = *die.pick(&EnvelopeName::ALL);
        let mut made = Self::random_in(die, Some(envelope));
        if die.one_in(2) {
            // Its catalog names it, too.
            made.flags.extend(texts(&["--envelope", envelope.name()]));
        }
        let reads_the_same = |bad: &&str| !made.generate.iter().any(|argument| argument.contains(bad));
        if die.one_in(3) && ["malformed", "blank", "too-long"].iter().all(reads_the_same) {
            made.flags.extend(texts(&["--framing", *die.pick(&["lines", "documents"])]));
        }
        made
    }

    /// Events that change on the way.
    pub(super) fn random_changed(die: &mut Die) -> Self {
        let envelope = die.one_in(3).then(|| *die.pick(&EnvelopeName::ALL));
        let mut made = Self::random_in(die, envelope);
        let events: u64 = made.generate[3].parse().unwrap();
        let changes = match events {
            0 | 1 => String::new(),
            2 => format!("{}=1", die.pick(&CHANGES)),
            _ => CHANGES.map(|name| format!("{name}={}", die.roll(9))).join(","),
        };
        made.generate.extend(texts(&["--changes", &changes]));
        made
    }

    fn random_in(die: &mut Die, envelope: Option<EnvelopeName>) -> Self {
        let world = *die.pick(&["simple", "ledger"]);
        let events = *die.pick(&[0, 1, 2, 500, 2_047, 2_048, 2_049, 3_000, 4_097]);
        let seed = die.roll(1_000_000).to_string();
        let date = *die.pick(&["2024-10-10", "1969-12-30", "2023-12-31", "2024-02-28"]);
        let mut made = Self::new(world, &["-n", &events.to_string(), "-s", &seed, "-d", date]);
        if let Some(envelope) = envelope {
            made.envelope = Some(envelope);
            made.generate.extend(texts(&["--envelope", envelope.name()]));
        }
        if made.is_ledger {
            let per_day = *die.pick(&["400", "1000", "5000"]);
            made.generate.extend(texts(&["--events-per-day", per_day]));
        }
        let faults = faults(die, events, envelope);
        if !faults.is_empty() {
            made.generate.extend(texts(&["--faults", &faults]));
        }
        match die.roll(4) {
            // No events are one empty file, of no day.
            _ if events == 0 => {}
            0 => made.generate.extend(texts(&["--files", *die.pick(&["2", "3", "7"])])),
            1 => made.generate.extend(texts(&["--rotate", "day"])),
            _ => {}
        }
        if die.one_in(3) {
            made.generate.extend(texts(&["--compress", *die.pick(&["gzip", "zstd"])]));
        }
        let kind = *die.pick(&["", "", "--layout hive", "--table delta"]);
        made.flags.extend(kind.split_whitespace().map(str::to_owned));
        for flags in [
            &["--partition-by", "hour"][..],
            &["--flatten", "false"],
            &["--compression", "none"],
            &["--threads", "3"],
            &["--memory", "64MiB"],
            &["--encodings", "basic"],
        ] {
            if die.one_in(4) {
                made.flags.extend(texts(flags));
            }
        }
        // There, versions of several days would count as several events.
        if !faults.contains("corrections") && !faults.contains("stale") && die.one_in(2) {
            made.flags.extend(texts(&["--dedupe-scope", "day"]));
        }
        made.way = *die.pick(&[Way::Backfill, Way::Backfill, Way::DayByDay, Way::Merges]);
        if events == 0 {
            made.way = Way::Backfill;
        }
        // Among equal timestamps the order of lines decides.
        made.is_shuffled = !faults.contains("ties") && die.one_in(2);
        made.killed_at = die.one_in(3).then(|| 1 + die.roll(120));
        made.ends_without_newline = !made.generate.contains(&"--compress".to_owned()) && die.one_in(4);
        made
    }

    /// Generates, loads, verifies.
    pub(super) fn run(&self) -> Proof {
        let dir = Workdir::new();
        let generated = self.generate(&dir);
        let mut proof = self.load(&dir, &generated);
        if proof.is_loaded() {
            proof.verified = Some(Self::verify(&dir));
        }
        proof
    }

    /// Loads what was generated, up to the first run that fails.
    pub(super) fn load(&self, dir: &Workdir, generated: &Generated) -> Proof {
        let mut proof = Proof::new(dir, generated.prepared.clone());
        for arguments in self.loads(generated) {
            let loader = || self.loader(dir, "target").args(&arguments);
            if let Some(operation) = self.killed_at {
                proof.runs.push(loader().env("EVENTLOADER_FAULT", &format!("{operation}:stop")).run());
            }
            proof.runs.push(loader().run());
            if !proof.is_loaded() {
                return proof;
            }
        }
        if self.way == Way::Backfill
            && let Some(run) = proof.runs.last()
        {
            proof.differences = Proof::differences(&generated.manifest["report"], run.report());
        }
        proof
    }

    /// Verifies the target against the manifest.
    pub(super) fn verify(dir: &Workdir) -> Outcome {
        dir.bare_loader().arg("verify").arg(dir.target()).arg("--against").arg(dir.path("truth.json")).run()
    }

    /// Writes the events and their manifest.
    pub(super) fn generate(&self, dir: &Workdir) -> Generated {
        let (events, manifest) = (dir.path("events"), dir.path("truth.json"));
        let place = ["-q", "-w", "-b", events.to_str().unwrap(), "--manifest", manifest.to_str().unwrap()];
        let arguments = ["datagen"].into_iter().chain(self.generate.iter().map(String::as_str)).chain(place);
        let arguments: Vec<_> = arguments.collect();
        let mut prepared = vec![arguments.join(" ")];
        prepared.push(format!("datagen catalog {} > catalog.toml", self.of_catalog().join(" ")));
        datagen::deliver::deliver(&self.run_spec(place), &datagen::deliver::NoProgress)
            .unwrap_or_else(|error| panic!("{self}: {error}"));
        let mut files: Vec<_> =
            fs_err::read_dir(&events).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        if self.ends_without_newline {
            let last = files.last().unwrap();
            let text = fs_err::read(last).unwrap();
            // Without its newline an empty line is no line.
            let rest = text.strip_suffix(b"\n").filter(|rest| !rest.ends_with(b"\n"));
            if let Some(rest) = rest {
                fs_err::write(last, rest).unwrap();
                prepared.push(format!("truncate --size=-1 {}", last.display()));
            }
        }
        if self.is_shuffled {
            let mut names: Vec<_> =
                (0..files.len()).map(|number| events.join(format!("{number:03}.json"))).collect();
            Die::new(files.len() as u64).shuffle(&mut names);
            for (file, name) in files.iter().zip(&names) {
                fs_err::rename(file, name).unwrap();
                prepared.push(format!("mv {} {}", file.display(), name.display()));
            }
            files = names;
        }
        let manifest = serde_json::from_slice(&fs_err::read(manifest).unwrap()).unwrap();
        Generated { files, manifest, prepared }
    }

    /// The loader with this combination's flags and a target of that name, but without sources.
    pub(super) fn loader(&self, dir: &Workdir, target: &str) -> Loader {
        let loader = dir.loader_into(target).args(&self.flags);
        match self.catalog() {
            None => loader,
            Some(catalog) => loader.arg("--catalog").arg(dir.write("catalog.toml", &catalog)),
        }
    }

    /// The catalog of its events; `None` if they are built in, as those of the simple world are.
    pub(super) fn catalog(&self) -> Option<String> {
        let RunSpec { stream, amount, .. } = self.run_spec(["-w"]);
        let catalog = datagen::catalog(&amount.counted(stream).unwrap()).unwrap();
        (!catalog.is_empty()).then_some(catalog)
    }

    fn run_spec<'a>(&'a self, more: impl IntoIterator<Item = &'a str>) -> RunSpec {
        let arguments = ["datagen"].into_iter().chain(self.generate.iter().map(String::as_str)).chain(more);
        let cli = datagen::cli::Cli::try_parse_from(arguments);
        cli.unwrap_or_else(|error| panic!("{self}: {error}")).run_spec()
    }

    /// The arguments on which the catalog depends.
    fn of_catalog(&self) -> Vec<&str> {
        let names = ["--world", "--envelope", "--changes", "-n", "-s", "-d", "--events-per-day"];
        let pairs = self.generate.chunks(2).filter(|pair| names.contains(&pair[0].as_str()));
        pairs.flatten().map(String::as_str).collect()
    }

    /// The arguments of each run.
    fn loads(&self, generated: &Generated) -> Vec<Vec<String>> {
        let directory = generated.directory();
        match self.way {
            Way::Backfill => vec![texts(&["-s", &directory, "--backfill"])],
            Way::DayByDay => {
                let load = |day: &String| texts(&["-s", &directory, "--date", day]);
                generated.days().iter().map(load).collect()
            }
            Way::Merges => {
                let merge =
                    |file: &PathBuf| texts(&["-s", file.to_str().unwrap(), "--backfill", "--mode", "merge"]);
                generated.files.iter().map(merge).collect()
            }
        }
    }
}

/// Some faults that the envelope can hold, at most as many as there are events.
fn faults(die: &mut Die, events: u64, envelope: Option<EnvelopeName>) -> String {
    const NAMES: [&str; 10] = [
        "duplicates",
        "corrections",
        "stale",
        "ties",
        "late",
        "offsets",
        "unknown-fields",
        "malformed",
        "unknown-events",
        "blank",
    ];
    let mut list = Vec::new();
    for name in NAMES {
        if events >= 500 && die.one_in(2) && !is_refused(envelope, name) {
            list.push(format!("{name}={}", 1 + die.roll(events / 20)));
        }
    }
    // 16 MiB each.
    if events >= 500 && die.one_in(20) {
        list.push("too-long=1".to_owned());
    }
    list.join(",")
}

/// Whether an envelope can't hold a fault.
fn is_refused(envelope: Option<EnvelopeName>, fault: &str) -> bool {
    use EnvelopeName::{CloudTrail, Debezium, Docker, Journald, Kafka, OtlpLogs, Stripe};

    let Some(envelope) = envelope else { return false };
    match fault {
        "corrections" | "stale" | "ties" => matches!(envelope, Docker | OtlpLogs),
        "offsets" => matches!(envelope, Docker | OtlpLogs | Stripe | Debezium | Kafka | Journald),
        "unknown-fields" => matches!(envelope, Docker | OtlpLogs | Journald),
        "blank" => envelope == CloudTrail,
        _ => false,
    }
}
