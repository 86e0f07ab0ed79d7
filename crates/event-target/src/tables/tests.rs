//! Runs at once on one target, over a store whose answers get lost → the state that its records describe.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use delta_log::{Action, Table};
use events_core::partition::{Layout, PartitionUnit};
use storage::{Found, LocalStore, Object, Put, Store, Upload};

use super::{SCRATCH, records::Records};
use crate::{
    Change, ChangedFile, History, LoadFacts, Location, Mode, NewCommit, Place, Reads, Target, TargetError,
    TargetLayout,
};

const SCHEMA: &str = r#"{"type":"struct","fields":[]}"#;
const TYPES: [&str; 2] = ["opened", "closed"];
const DAYS: u64 = 4;

/// A store that fails: it does what it was asked for and says that it did not, or does not do it.
#[derive(Debug)]
struct Flaky {
    store: LocalStore,
    random: AtomicU64,
    /// One in so many changes fails; none if 0.
    one_in: u64,
}

impl Flaky {
    fn random(&self, below: u64) -> u64 {
        // SplitMix64.
        let state = self.random.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }

    fn answer<T>(&self, change: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let failed = || io::Error::other("no answer");
        match if self.one_in == 0 { 2 } else { self.random(2 * self.one_in) } {
            0 => Err(failed()),
            1 => change().and_then(|_| Err(failed())),
            _ => change(),
        }
    }
}

impl Store for Flaky {
    fn address(&self, key: &str) -> String {
        self.store.address(key)
    }
    fn directory(&self) -> Option<&Path> {
        self.store.directory()
    }
    fn find(&self, key: &str) -> io::Result<Option<Found>> {
        self.store.find(key)
    }
    fn read(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        self.store.read(key)
    }
    fn open(&self, key: &str, bytes: Option<u64>) -> io::Result<Box<dyn Object>> {
        self.store.open(key, bytes)
    }
    fn open_found(&self, found: &Found) -> io::Result<Box<dyn Object>> {
        self.store.open_found(found)
    }
    fn list_after(&self, prefix: &str, after: &str) -> io::Result<Vec<Found>> {
        self.store.list_after(prefix, after)
    }
    fn put_new(&self, key: &str, bytes: &[u8]) -> io::Result<Put> {
        self.answer(|| self.store.put_new(key, bytes))
    }
    fn put(&self, key: &str, bytes: &[u8]) -> io::Result<()> {
        self.answer(|| self.store.put(key, bytes))
    }
    fn upload(&self, key: &str) -> io::Result<Box<dyn Upload>> {
        self.store.upload(key)
    }
    fn delete(&self, key: &str) -> io::Result<()> {
        self.answer(|| self.store.delete(key))
    }
    fn barrier(&self) -> io::Result<()> {
        self.store.barrier()
    }
}

fn layout() -> TargetLayout {
    TargetLayout::new(Layout::Delta, PartitionUnit::Day)
}

/// The files of a type, as one that reads all of them sees them.
fn seen(history: &History, name: &str) -> String {
    let files =
        history.files.iter().filter(|(_, file)| file.event_type.as_ref().is_some_and(|of| of.1 == name));
    files.map(|(path, file)| [path, " ", &file.checksum.to_string(), "\n"].concat()).collect()
}

/// One run: it replaces some days of a type by what it has seen of the type, if it `merges`.
fn run(store: &Arc<Flaky>, name: &str, days: &[u64], merges: bool) -> Result<(), TargetError> {
    let location = Location::tables(Arc::clone(store) as Arc<dyn Store>);
    let mut target = Target::open(&location)?;
    let staging = target.begin(&layout())?;
    let history = location.history(|_, _| {})?;
    let mut changes = Vec::new();
    for day in days {
        let directory = Layout::Delta.path(PartitionUnit::Day, i64::try_from(*day).unwrap(), name);
        let place = Place { directory: &directory, stem: "part-00000", extension: "zstd.parquet" };
        let mut writer = staging.create(String::new(), place).unwrap();
        let text = if merges { seen(&history, name) } else { "overwritten".to_owned() };
        writer.write_all(format!("{day}\n{text}").as_bytes()).unwrap();
        let (file, _) = writer.finish(1).unwrap();
        changes.push(Change::partition(&directory, ("events", name), &[file]));
    }
    let read = ("events".to_owned(), name.to_owned());
    let reads = Reads { event_types: merges.then_some(read).into_iter().collect(), ..Reads::default() };
    let mode = if merges { Mode::Merge } else { Mode::Overwrite };
    let load = LoadFacts { mode, ..LoadFacts::default() };
    let schemas = [(name.to_owned(), SCHEMA.to_owned())].into();
    target.commit(NewCommit { reads, schemas, ..NewCommit::of(changes, layout(), load) }, 2)
}

/// Checks the target against its records; returns how many there are.
fn check(store: &Arc<Flaky>) -> u64 {
    let mut problems = Vec::new();
    let mut commits_of = BTreeMap::<_, Vec<_>>::new();
    let history = Records { store: &**store }.history_from_the_first(|before, commit| {
        let types: BTreeSet<_> =
            commit.changes.iter().map(|change| change.event_type.clone().unwrap().1).collect();
        for name in types {
            commits_of.entry(name).or_default().push(commit.number);
        }
        for change in commit.changes.iter().filter(|_| commit.load.mode == Mode::Merge) {
            let name = &change.event_type.as_ref().unwrap().1;
            for ChangedFile { name: file, .. } in &change.files {
                let path = format!("{}/{file}", change.directory);
                let text = String::from_utf8(store.read(&path).unwrap().unwrap()).unwrap();
                let (_, then) = text.split_once('\n').unwrap();
                if then != seen(before, name) {
                    problems.push(format!("commit {} was made from another state:\n{then}", commit.number));
                }
            }
        }
    });
    let history = history.unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    for name in TYPES {
        let Some(snapshot) = Table::new(&**store, name).snapshot().unwrap() else { continue };
        let of_log: Vec<_> = snapshot.files.keys().map(|path| format!("{name}/{path}")).collect();
        let recorded = history.files.keys().filter(|path| path.starts_with(name));
        assert!(recorded.eq(&of_log), "{name}: {of_log:?}, recorded: {:?}", history.files.keys());
        // Each record is in the log once, in its turn.
        let of_log = (0..=snapshot.version).filter_map(|version| table_commit(store, name, version));
        assert_eq!(of_log.collect::<Vec<_>>(), commits_of[name]);
    }
    history.commits()
}

/// The number of the commit that a version of a table belongs to.
fn table_commit(store: &Arc<Flaky>, name: &str, version: u64) -> Option<u64> {
    let actions = Table::new(&**store, name).actions(version).unwrap().unwrap();
    actions.into_iter().find_map(|action| match action {
        Action::Transaction(of) => Some(u64::try_from(of.version).unwrap()),
        _ => None,
    })
}

fn store(dir: &Path, seed: u64, one_in: u64) -> Arc<Flaky> {
    let store = LocalStore::new(dir.join("lake"), SCRATCH);
    Arc::new(Flaky { store, random: AtomicU64::new(seed), one_in })
}

/// Several runs at once, each several times; returns how many committed.
fn at_once(store: &Arc<Flaky>, writers: u64, rounds: u64) -> u64 {
    let committed = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                for _ in 0..rounds {
                    let name = TYPES[usize::try_from(store.random(2)).unwrap()];
                    let days: Vec<_> = (0..DAYS).filter(|_| store.random(3) == 0).collect();
                    match run(store, name, &days, store.random(2) == 0) {
                        Ok(()) => drop(committed.fetch_add(1, Ordering::Relaxed)),
                        Err(TargetError::Overtaken { .. }) => {}
                        // Only where answers get lost.
                        Err(error) => assert!(store.one_in > 0, "{error}"),
                    }
                }
            });
        }
    });
    committed.into_inner()
}

#[test]
fn runs_at_once_leave_what_one_after_the_other_leaves() {
    for seed in 0..8 {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), seed, 0);
        let committed = at_once(&store, 4, 6);
        assert_eq!(check(&store), committed);
        // Who did not commit has left nothing.
        let swept = Location::tables(store).sweep(std::time::Duration::ZERO).unwrap();
        let replaced = swept.objects;
        assert!(replaced <= committed * DAYS, "{swept:?}");
    }
}

#[test]
fn lost_answers_change_nothing() {
    for seed in 0..8 {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), 100 + seed, 5);
        at_once(&store, 3, 6);
        let healthy = Arc::new(Flaky { store: store.store.clone(), random: AtomicU64::new(seed), one_in: 0 });
        // Whatever was recorded last gets to its tables.
        drop(Target::open(&Location::tables(Arc::clone(&healthy) as Arc<dyn Store>)).unwrap());
        check(&healthy);
    }
}

#[test]
fn a_sweep_deletes_what_nothing_refers_to() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 1, 0);
    run(&store, "opened", &[1, 2], false).unwrap();
    run(&store, "opened", &[1], true).unwrap();
    store.put("opened/day=1970-01-03/part-00000-killed.zstd.parquet", b"killed").unwrap();
    store.put("others/file.parquet", b"not ours").unwrap();
    let location = Location::tables(Arc::clone(&store) as Arc<dyn Store>);
    let week = std::time::Duration::from_secs(7 * 24 * 60 * 60);
    assert_eq!(location.sweep(week).unwrap().objects, 0);
    assert_eq!(location.sweep(std::time::Duration::ZERO).unwrap().objects, 2);
    assert_eq!(check(&store), 2);
    assert!(store.find("others/file.parquet").unwrap().is_some());
}
