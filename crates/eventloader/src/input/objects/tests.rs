//! Do objects have the sources and the bytes that the same tree of files has?
#![expect(clippy::disallowed_methods, reason = "a test makes its own files")]

mod bucket;

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use proptest::prelude::*;
use storage::{LocalStore, Store};

use self::bucket::Bucket;
use super::{super::sources::list_any, *};
use crate::input::Source;

const SMALL: Window = Window { bytes: 40, part_bytes: 10, requests: 3 };

fn bytes_of(ahead: &ReadAhead, source: &Source) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ahead.reader(source.object().unwrap())?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[test]
fn objects_of_any_length_are_read_in_order_whole_or_not_at_all() {
    let bucket = Bucket::default();
    let lengths = [0, 1, 9, 10, 11, 0, 0, 20, 95, 3, 255, 1, 0];
    let of = |index: usize| (0..lengths[index]).map(|at: u8| at.wrapping_mul(7)).collect::<Vec<_>>();
    for index in 0..lengths.len() {
        bucket.put(&format!("{index:02}"), of(index));
    }
    let sources = bucket.sources();
    // Where the system starts no threads, whoever reads fetches, too.
    for requests in [3, 0] {
        let ahead = ReadAhead::of(&sources, Window { requests, ..SMALL });
        for (index, source) in sources.iter().enumerate() {
            assert_eq!(bytes_of(&ahead, source).unwrap(), of(index), "{index}");
        }
    }
    let ahead = ReadAhead::of(&sources, SMALL);
    for index in [1, 8, 10, 11] {
        if index == 10 {
            let mut begun = ahead.reader(sources[index].object().unwrap()).unwrap();
            begun.read_exact(&mut [0; 25]).unwrap();
        } else {
            assert_eq!(bytes_of(&ahead, &sources[index]).unwrap(), of(index), "{index}");
        }
    }
}

#[test]
fn no_more_is_fetched_ahead_than_the_window_has_room_for() {
    let bucket = Bucket::default();
    bucket.put("a", [1; 1_000]);
    (0..100).for_each(|index| bucket.put(&format!("b{index:02}"), "small"));
    let sources = bucket.sources();
    let ahead = ReadAhead::of(&sources, SMALL);
    let mut reader = ahead.reader(sources[0].object().unwrap()).unwrap();
    for parts_read in 1..=5 {
        reader.read_exact(&mut [0; 10]).unwrap();
        thread::sleep(Duration::from_millis(20));
        assert!(bucket.gets() <= parts_read + 3, "{} requests for {parts_read} parts", bucket.gets());
    }
    drop(reader);
    bytes_of(&ahead, &sources[1]).unwrap();
    thread::sleep(Duration::from_millis(20));
    assert!(
        bucket.gets() < 8 + 3 + 40 / 5 + 2,
        "{}: the rest of a was fetched, or all others",
        bucket.gets()
    );
}

#[test]
fn an_object_that_is_replaced_while_it_is_read_fails_its_reader() {
    let bucket = Bucket::default();
    bucket.put("a", [1; 1_000]);
    let sources = bucket.sources();
    let ahead = ReadAhead::of(&sources, SMALL);
    let mut reader = ahead.reader(sources[0].object().unwrap()).unwrap();
    reader.read_exact(&mut [0; 1]).unwrap();
    bucket.put("a", [2; 1_000]);
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("changed while it was read"), "{error}");
    assert!(reader.read(&mut [0]).is_err(), "it does not end there");
}

/// A thread of Python's process can panic, and the others go on.
#[test]
fn an_object_whose_fetching_panics_fails_its_reader() {
    let bucket = Bucket::default();
    bucket.put("a", [1; 25]);
    let sources = bucket.sources();
    bucket.break_down();
    let error = bytes_of(&ReadAhead::of(&sources, SMALL), &sources[0]).unwrap_err();
    assert_eq!(error.to_string(), "the thread that fetched it has panicked");
}

/// The names of the sources, or what is wrong.
fn names(given: &str, stores: &OpenStore<'_>, target: Option<&str>) -> Result<Vec<String>, String> {
    let listed = list_any(&[PathBuf::from(given)], target.map(Path::new), stores);
    let names = |listed: Vec<Source>| listed.into_iter().map(|source| source.name).collect();
    listed.map(|listed| names(listed.sources)).map_err(|error| error.to_string())
}

#[test]
fn a_key_is_an_object_or_a_directory_or_a_glob() {
    let bucket = Bucket::default();
    for key in ["a", "a/x", "d/1", "d/_2", "d/e/", "d/e/3", "d/e.tmp/4", "d/f", "g[1]", "g1", "h[1]/5"] {
        bucket.put(key, if matches!(key, "d/e/" | "d/f") { "" } else { "x" });
    }
    bucket.put("d", "");
    bucket.put("d/e", "");
    let open = |_: &str| Ok(Arc::new(bucket.clone()) as Arc<dyn Store>);
    let keys = |url: &str| {
        let names = names(url, &open, None)?;
        Ok::<_, String>(names.iter().map(|name| name[7..].to_owned()).collect::<Vec<_>>().join(" "))
    };
    let expected = [
        ("s3://b/a", "a"),
        ("s3://b/a/", "a/x"),
        ("s3://b/d/", "d/1 d/e/3 d/f"),
        ("s3://b/h[1]", "h[1]/5"),
        ("s3://b/g[1]", "g[1]"),
        ("s3://b/g?", "g1"),
        ("s3://b/d/*", "d/1 d/_2 d/e.tmp/4 d/e/3 d/f"),
        ("s3://b/none/", ""),
    ];
    for (url, found) in expected {
        assert_eq!(keys(url).unwrap(), found, "{url}");
    }
    assert_eq!(keys("s3://b").unwrap(), keys("s3://b/").unwrap());
    let refused = |url| keys(url).unwrap_err();
    assert_eq!(refused("s3://b/none"), "s3://b/none: no such object, and none below it");
    assert_eq!(refused("s3://b/none*"), "s3://b/none*: matches no object");
    assert!(refused("s3://b/a[").contains("not a glob"), "{}", refused("s3://b/a["));
}

#[test]
fn a_target_and_a_source_are_not_inside_of_each_other() {
    let bucket = Bucket::default();
    for key in ["in/a", "lake/t/part", "lake-2/a"] {
        bucket.put(key, "x");
    }
    let open = |_: &str| Ok(Arc::new(bucket.clone()) as Arc<dyn Store>);
    let outcome = |source: &str, target: &str| names(source, &open, Some(target));
    for (source, target) in [
        ("s3://b", "s3://b/new"),
        ("s3://b/in/", "s3://b/in/lake"),
        ("s3://b/in", "s3://b/in"),
        ("s3://b/lake/t/", "s3://b/lake/"),
        ("s3://b/lake/t/part", "s3://b/lake"),
        ("s3://b/l*", "s3://b/lake"),
        ("s3a://b/in/", "s3://b/in/lake"),
        ("s3://b/in/", "s3a://b/in/lake"),
    ] {
        let refused = outcome(source, target).unwrap_err();
        assert!(refused.starts_with("the target "), "{refused}");
    }
    for (source, target) in
        [("s3://b/in/", "s3://b/in-2"), ("s3://b/lake-2/", "s3://b/lake"), ("s3://b/", "lake")]
    {
        outcome(source, target).unwrap();
    }
}

prop_compose! {
    fn tree()(paths in prop::collection::btree_set("(a|b|ab|_a|\\.b|a\\.tmp)(/(a|b|ab|_b|\\.a)){0,3}", 1..12))
        -> Vec<String>
    {
        // No file is a directory.
        let is_file = |path: &&String| !paths.iter().any(|other| other.starts_with(&format!("{path}/")));
        paths.iter().filter(is_file).cloned().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_the_same_tree_globs_find_the_same_as_files_and_as_objects(
        tree in tree(),
        glob in r"(a|b|ab|\*|\?|a\*|\*b|\*\*|\[ab\]|\[!a\]\*|\.b|_\?)(/(a|b|\*|\?|\*b|\*\*|\[ab\]|_\*)){0,3}/?",
    ) {
        let dir = tempfile::tempdir().unwrap();
        for path in &tree {
            let path = dir.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "x").unwrap();
        }
        let root = dir.path().to_str().unwrap();
        let store: Arc<dyn Store> = Arc::new(LocalStore::new(dir.path().to_owned(), "none"));
        let open = |_: &str| Ok(Arc::clone(&store));
        let of_files = names(&format!("{root}/{glob}"), &open, None).unwrap_or_default();
        let of_objects = names(&format!("s3://b/{glob}"), &open, None).unwrap_or_default();
        prop_assert_eq!(of_files, of_objects, "{} in {:?}", glob, tree);
    }
}
