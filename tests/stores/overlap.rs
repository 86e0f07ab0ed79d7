//! Small uploads overlap: one thread has many of them on their way.

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
