//! What holds for each store: a directory, a bucket, a bucket whose answers get lost.

use std::{
    io::{ErrorKind, Write},
    iter::repeat_n,
    sync::Barrier,
    thread,
};

use storage::{Put, Replaced, Store, create, holds_conditions};

use crate::support::{noise, stores, upload};

const PART_BYTES: usize = 8 << 20;

fn keys(store: &dyn Store, prefix: &str, after: &str) -> Vec<String> {
    store.list_after(prefix, after).unwrap().into_iter().map(|found| found.key).collect()
}

#[test]
fn of_six_writers_at_once_one_creates_an_object() {
    const WRITERS: usize = 6;
    for place in stores() {
        let (store, barrier) = (&*place.store, &Barrier::new(WRITERS));
        for round in 0..10 {
            let key = &format!("log/{round:020}.json");
            let answers = thread::scope(|scope| {
                let write = |writer: usize| {
                    scope.spawn(move || {
                        barrier.wait();
                        create(store, key, format!("{key} by {writer}").as_bytes()).unwrap()
                    })
                };
                let writers: Vec<_> = (0..WRITERS).map(write).collect();
                writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
            });
            let created: Vec<_> = (0..WRITERS).filter(|&writer| answers[writer] == Put::Created).collect();
            assert_eq!(created.len(), 1, "{}: {answers:?}", place.name);
            let winner = format!("{key} by {}", created[0]).into_bytes();
            assert_eq!(store.read(key).unwrap().unwrap(), winner, "{}", place.name);
            assert_eq!(
                create(store, key, &winner).unwrap(),
                Put::Created,
                "{}: its own once more",
                place.name
            );
        }
        assert_eq!(keys(store, "", "").len(), 10, "{}", place.name);
    }
}

#[test]
fn conditions_are_held_and_the_tries_leave_nothing() {
    for place in stores() {
        assert!(holds_conditions(&*place.store, "_own/try-").unwrap(), "{}", place.name);
        assert!(keys(&*place.store, "", "").is_empty(), "{}", place.name);
    }
}

#[test]
fn more_keys_than_a_page_has_are_listed_in_order() {
    for place in stores() {
        let store = &*place.store;
        let has_pages = store.directory().is_none() && !place.is_lossy();
        let count = if has_pages { 1_050 } else { 60 };
        let mut expected: Vec<_> = (0..count).map(|number| format!("t/day={number}/part.parquet")).collect();
        expected.extend(["t-u", "u"].map(str::to_owned));
        for key in expected.iter().rev() {
            upload(store, key, key.as_bytes());
        }
        store.barrier().unwrap();
        expected.sort_unstable();
        assert_eq!(keys(store, "", ""), expected, "{}", place.name);
        let below = &expected[1..expected.len() - 1];
        assert_eq!(keys(store, "t/", ""), below, "{}", place.name);
        assert_eq!(keys(store, "t/", &below[20]), below[21..], "{}", place.name);
        assert_eq!(keys(store, "t/", &format!("{}!", below[20])), below[21..], "{}", place.name);
        let ones: Vec<_> = below.iter().filter(|key| key.starts_with("t/day=1")).cloned().collect();
        assert_eq!(keys(store, "t/day=1", ""), ones, "{}", place.name);
        assert_eq!(keys(store, "t/day=1/part.parquet", ""), ["t/day=1/part.parquet"], "{}", place.name);
        assert!(keys(store, "u/", "").is_empty() && keys(store, "t/", "t/x").is_empty(), "{}", place.name);
        for found in store.list_after("t/day=7/", "").unwrap() {
            let there = store.find(&found.key).unwrap().unwrap();
            assert_eq!((there.stamp, there.bytes), (found.stamp, found.key.len() as u64), "{}", place.name);
        }
    }
}

#[test]
fn keys_are_taken_letter_by_letter() {
    let names = ["a b/+%2F~7E=.json", "ü/日本.json", "x&y?z#1.json", "'q'(1)*!.json", "%25/~20"];
    for place in stores() {
        let store = &*place.store;
        for name in names {
            assert_eq!(create(store, name, name.as_bytes()).unwrap(), Put::Created, "{}", place.name);
        }
        let mut sorted = names.to_vec();
        sorted.sort_unstable();
        assert_eq!(keys(store, "", ""), sorted, "{}", place.name);
        for name in names {
            assert_eq!(store.read(name).unwrap().as_deref(), Some(name.as_bytes()), "{}", place.name);
            store.delete(name).unwrap();
        }
        assert!(keys(store, "", "").is_empty(), "{}", place.name);
    }
}

#[test]
fn any_range_of_an_object_is_read() {
    let bytes = noise(3 << 20);
    for place in stores() {
        let store = &*place.store;
        upload(store, "t/part", &bytes);
        store.barrier().unwrap();
        let found = store.find("t/part").unwrap().unwrap();
        for object in [
            store.open("t/part", None).unwrap(),
            store.open("t/part", Some(found.bytes)).unwrap(),
            store.open_found(&found).unwrap(),
        ] {
            assert_eq!(object.bytes(), bytes.len() as u64, "{}", place.name);
            for (offset, length) in [
                (bytes.len() - 8, 8),
                (0, 4),
                (524_286, 4),
                (100, 600_000),
                (bytes.len() - 70_000, 70_000),
                (7, 0),
            ] {
                let mut read = vec![0; length];
                object.read_exact_at(&mut read, offset as u64).unwrap();
                assert!(read == bytes[offset..offset + length], "{}: {offset} {length}", place.name);
            }
            let mut beyond = [0; 9];
            let error = object.read_exact_at(&mut beyond, bytes.len() as u64 - 8).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{}", place.name);
        }
    }
}

#[test]
fn what_is_not_there_is_told_from_what_is_empty() {
    for place in stores() {
        let store = &*place.store;
        assert!(
            store.find("none").unwrap().is_none() && store.read("none").unwrap().is_none(),
            "{}",
            place.name
        );
        for bytes in [None, Some(0), Some(9)] {
            let error = store.open("none", bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{}: {error}", place.name);
        }
        store.delete("none").unwrap();
        store.put("empty", b"").unwrap();
        assert_eq!(store.read("empty").unwrap().as_deref(), Some(&b""[..]), "{}", place.name);
        assert_eq!(store.open("empty", None).unwrap().bytes(), 0, "{}", place.name);
        assert_eq!(store.open("empty", Some(0)).unwrap().bytes(), 0, "{}", place.name);
        assert_eq!(keys(store, "", ""), ["empty"], "{}", place.name);
    }
}

#[test]
fn an_object_that_is_replaced_while_it_is_open_is_not_read_on() {
    let (old, new) = (noise(1 << 20), vec![7; 1 << 20]);
    for place in stores() {
        let store = &*place.store;
        store.put("a", &old).unwrap();
        let found = store.find("a").unwrap().unwrap();
        let (open, mut byte) = (store.open("a", None).unwrap(), [0; 1]);
        store.put("a", &new).unwrap();
        assert_eq!(store.read("a").unwrap().unwrap(), new, "{}", place.name);
        if store.directory().is_none() {
            let error = open.read_exact_at(&mut byte, 0).unwrap_err();
            assert!(Replaced::is(&error), "{}: {error}", place.name);
        }
        let read = store.open_found(&found).and_then(|object| object.read_exact_at(&mut byte, 0));
        assert!(Replaced::is(&read.unwrap_err()), "{}", place.name);
    }
}

#[test]
fn an_upload_in_parts_is_one_object() {
    let bytes = noise(4 * PART_BYTES + 5);
    for place in stores() {
        let store = &*place.store;
        let lengths = [PART_BYTES - 1, PART_BYTES, bytes.len()];
        // Each answer that matters gets lost in one of so many uploads.
        let again = if place.is_lossy() { 6 } else { 1 };
        for (number, length) in lengths.into_iter().chain(repeat_n(PART_BYTES + 1, again)).enumerate() {
            let key = format!("t/{number}");
            let mut upload = store.upload(&key).unwrap();
            for piece in bytes[..length].chunks(1 << 20) {
                upload.write_all(piece).unwrap();
            }
            let uploaded = upload.finish().unwrap();
            store.barrier().unwrap();
            let found = store.find(&key).unwrap().unwrap();
            assert_eq!(uploaded.stamp.get(), Some(&found.stamp), "{}: {length}", place.name);
            assert!(store.read(&key).unwrap().unwrap() == bytes[..length], "{}: {length}", place.name);
        }
    }
}

#[test]
fn an_upload_that_is_given_up_leaves_nothing() {
    let bytes = noise(2 * PART_BYTES);
    for place in stores() {
        let store = &*place.store;
        for length in [0, 1, bytes.len()] {
            let mut upload = store.upload("t/aborted").unwrap();
            upload.write_all(&bytes[..length]).unwrap();
            upload.abort();
        }
        store.barrier().unwrap();
        assert!(keys(store, "", "").is_empty(), "{}", place.name);
        upload(store, "t/deleted", &bytes[..1000]);
        store.delete("t/deleted").unwrap();
        store.barrier().unwrap();
        assert!(keys(store, "", "").is_empty(), "{}: deleted while it was on its way", place.name);
    }
}
