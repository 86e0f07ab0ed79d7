//! How many requests there are, and at once: small uploads overlap, small reads are few requests.

use std::{
    io::Write,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use object_stores::{Options, open_with};

use crate::support::stub;

const AT_ONCE: usize = 32;

/// A store that answers an upload only when so many are there at once.
#[test]
fn one_thread_has_many_small_uploads_on_their_way() {
    let there = Arc::new((Mutex::new(0), Condvar::new()));
    let endpoint = stub(move |request| {
        if request.starts_with("GET") {
            return ("200 OK".to_owned(), "<ListBucketResult></ListBucketResult>".to_owned());
        }
        let (count, changed) = &*there;
        let mut count = count.lock().unwrap();
        *count += 1;
        changed.notify_all();
        let (count, waited) =
            changed.wait_timeout_while(count, Duration::from_secs(20), |count| *count < AT_ONCE).unwrap();
        let status = if waited.timed_out() { "400 Bad Request" } else { "200 OK\r\nETag: \"x\"" };
        drop(count);
        (status.to_owned(), String::new())
    });
    let options = Options { endpoint: Some(endpoint), anonymous: true, ..Options::default() };
    let store = open_with("s3://lake/t", &options, &|_| None).unwrap();
    let mut stamps = Vec::new();
    for number in 0..AT_ONCE {
        let mut upload = store.upload(&number.to_string()).unwrap();
        upload.write_all(b"rows").unwrap();
        stamps.push(upload.finish().unwrap().stamp);
    }
    store.barrier().unwrap();
    assert!(stamps.iter().all(|stamp| stamp.get().is_some()));
}

/// A store with an object of zeros, which answers requests for ranges of it.
#[test]
fn small_reads_one_behind_the_other_are_few_requests() {
    const BYTES: usize = 16 << 20;
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let endpoint = stub(move |request| {
        let range = request.lines().find_map(|line| line.strip_prefix("range: bytes=")?.split_once('-'));
        let Some((first, last)) = range else {
            return ("200 OK".to_owned(), "<ListBucketResult></ListBucketResult>".to_owned());
        };
        let last = last.parse::<usize>().unwrap();
        let (first, end) = first.parse().map_or((BYTES - last, BYTES), |first: usize| (first, last + 1));
        seen.lock().unwrap().push(end - first);
        let headers =
            format!("206 Partial\r\nETag: \"x\"\r\nContent-Range: bytes {first}-{}/{BYTES}", end - 1);
        (headers, "0".repeat(end - first))
    });
    let options = Options { endpoint: Some(endpoint), anonymous: true, ..Options::default() };
    let store = open_with("s3://lake/t", &options, &|_| None).unwrap();
    let object = store.open("zeros", None).unwrap();
    assert_eq!((object.bytes(), requests.lock().unwrap().as_slice()), (BYTES as u64, &[65_536][..]));
    let mut read = vec![0; 8_000];
    // The end is there, and what is read again.
    object.read_exact_at(&mut read, BYTES as u64 - 8_000).unwrap();
    for offset in (0..BYTES as u64 - 8_000).step_by(8_000) {
        read.fill(1);
        object.read_exact_at(&mut read, offset).unwrap();
        assert!(read.iter().all(|&byte| byte == b'0'));
    }
    let requests = requests.lock().unwrap();
    assert!(requests.len() <= 8, "{requests:?}");
    let bytes: usize = requests.iter().sum();
    assert!(bytes <= BYTES + 2 * 65_536, "{bytes} for {BYTES}");
}
