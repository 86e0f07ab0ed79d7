//! Random histories against a model: a map of files, to which each action is applied.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;

/// What happens to a table.
#[derive(Debug, Clone)]
enum Step {
    Commit {
        adds: Vec<u8>,
        removes: Vec<u8>,
        application: Option<(u8, i64)>,
        described: Option<u8>,
    },
    Checkpoint,
    /// The commits that a checkpoint holds are deleted.
    CleanUp,
    LoseHint,
    /// A reader reads what was committed since.
    Refresh,
}

fn step() -> impl Strategy<Value = Step> {
    let commit = (vec(0..12_u8, 0..4), vec(0..12_u8, 0..3), any::<Option<(u8, i64)>>(), any::<Option<u8>>());
    let commit = commit.prop_map(|(adds, removes, application, described)| Step::Commit {
        adds,
        removes,
        application: application.map(|(id, version)| (id % 3, version)),
        described,
    });
    prop_oneof![
        6 => commit, 2 => Just(Step::Checkpoint), 1 => Just(Step::CleanUp), 1 => Just(Step::LoseHint),
        1 => Just(Step::Refresh)
    ]
}

fn path(number: u8) -> String {
    let path = ["a.parquet", "b c%25.parquet", "\u{e4}:+.parquet", "d#?&.parquet"][usize::from(number % 4)];
    format!("day=2024-10-{:02}/{path}", 1 + number / 4)
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    version: u64,
    files: BTreeMap<String, u64>,
    removed: BTreeMap<String, i64>,
    applications: BTreeMap<String, i64>,
    description: Option<String>,
}

impl Model {
    fn of(snapshot: &Snapshot) -> Self {
        let Snapshot { version, metadata, transactions, files, removed, protocol } = snapshot;
        assert_eq!(*protocol, Protocol::OWN);
        for (path, found) in files {
            assert_eq!(*found, AddFile { data_change: false, ..file(path, found.size_bytes) });
        }
        Self {
            version: *version,
            files: files.iter().map(|(path, file)| (path.clone(), file.size_bytes)).collect(),
            removed: removed
                .iter()
                .map(|(path, file)| (path.clone(), file.deletion_time_ms.unwrap()))
                .collect(),
            applications: transactions.iter().map(|(id, of)| (id.clone(), of.version)).collect(),
            description: metadata.description.clone(),
        }
    }

    /// Applies a step; its actions.
    fn commit(&mut self, at_ms: i64, step: &Step) -> Vec<Action> {
        let Step::Commit { adds, removes, application, described } = step else { return Vec::new() };
        let mut actions = Vec::new();
        let mut touched = Vec::new();
        for number in adds {
            if !touched.contains(number) {
                touched.push(*number);
                let size_bytes = self.version + u64::from(*number);
                actions.push(Action::Add(file(&path(*number), size_bytes)));
                self.files.insert(path(*number), size_bytes);
                self.removed.remove(&path(*number));
            }
        }
        for number in removes {
            if !touched.contains(number) && self.files.remove(&path(*number)).is_some() {
                touched.push(*number);
                actions.push(Action::Remove(file(&path(*number), 1).removed(at_ms, true)));
                self.removed.insert(path(*number), at_ms);
            }
        }
        if let Some((id, version)) = application {
            actions.push(transaction(&format!("app {id}"), *version));
            self.applications.insert(format!("app {id}"), *version);
        }
        if let Some(described) = described {
            self.description = Some(described.to_string());
            actions.push(Action::Metadata(Metadata { description: self.description.clone(), ..metadata() }));
        }
        actions
    }
}

/// What is removed since seven days before.
fn young(removed: &BTreeMap<String, i64>, at_ms: i64) -> BTreeMap<String, i64> {
    removed.iter().filter(|(_, at)| **at > at_ms - 7 * DAY_MS).map(|(path, at)| (path.clone(), *at)).collect()
}

/// Compares two, but for files that were removed before.
fn compare(found: &Model, expected: &Model, at_ms: i64) {
    let [found_young, expected_young] = [found, expected].map(|model| young(&model.removed, at_ms));
    assert_eq!(found_young, expected_young);
    assert!(found.removed.iter().all(|(path, at)| expected.removed.get(path) == Some(at)), "{found:?}");
    assert_eq!(
        Model { removed: BTreeMap::new(), ..found.clone() },
        Model { removed: BTreeMap::new(), ..expected.clone() }
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn a_snapshot_is_what_the_actions_make_whatever_is_left_of_the_log(steps in vec(step(), 1..30)) {
        let store = MemoryStore::default();
        let table = Table::new(&store, ROOT);
        prop_assert!(table.snapshot().unwrap().is_none());
        let mut writer = None;
        let mut model = Model::default();
        table.commit::<LogError>(&mut writer, 0, |_| Ok(Some(beginning()))).unwrap();
        let mut reader = writer.clone().unwrap();
        let mut checkpoint = None;
        for (at_ms, step) in (1..).map(|day| day * DAY_MS).zip(&steps) {
            match step {
                Step::Commit { .. } => {
                    let actions = model.commit(at_ms, step);
                    model.version += 1;
                    let version = table.commit::<LogError>(&mut writer, at_ms, |_| Ok(Some(actions.clone())));
                    prop_assert_eq!(version.unwrap(), Some(model.version));
                }
                Step::Checkpoint => {
                    table.checkpoint(writer.as_ref().unwrap(), at_ms).unwrap();
                    checkpoint = Some(model.version);
                }
                Step::CleanUp => {
                    for version in 0..checkpoint.map_or(0, |version| version + 1) {
                        store.delete(&commit_key(version)).unwrap();
                    }
                }
                Step::LoseHint => store.delete(&key("_last_checkpoint")).unwrap(),
                Step::Refresh => {
                    table.refresh(&mut reader).unwrap();
                    compare(&Model::of(&reader), &model, at_ms);
                }
            }
            compare(&Model::of(writer.as_ref().unwrap()), &model, at_ms);
            compare(&Model::of(&table.snapshot().unwrap().unwrap()), &model, at_ms);
        }
        table.refresh(&mut reader).unwrap();
        compare(&Model::of(&reader), &model, DAY_MS * 40);
        // The same actions, the same bytes: a checkpoint of the same snapshot is the same.
        table.checkpoint(&reader, 1).unwrap();
        let first = store.read(&checkpoint_key(model.version)).unwrap();
        table.checkpoint(&reader, 1).unwrap();
        prop_assert_eq!(first, store.read(&checkpoint_key(model.version)).unwrap());
    }
}

#[test]
fn a_large_checkpoint_reads_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = local(directory.path());
    let table = Table::new(&store, ROOT);
    let files = (0..9_000).map(|number| Action::Add(file(&format!("day=2024-10-10/{number}"), number)));
    let written = commit(&table, 1, &files.collect::<Vec<_>>());
    table.checkpoint(&written, 1).unwrap();
    store.delete(&commit_key(0)).unwrap();
    assert_eq!(table.snapshot().unwrap().unwrap(), written);
}
