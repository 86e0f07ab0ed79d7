//! A server that speaks as much of S3's protocol as reading a bucket takes. It tells what it was asked for.
//!
//! Each object has a new `ETag` with each upload, whatever its content, as on a bucket that encrypts.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::support::workdir::Loader;

/// The most keys in a page of a listing.
const PAGE: usize = 100;

/// A server with the bucket `b`, which ends with the test.
#[derive(Clone)]
pub(crate) struct Bucket {
    inside: Arc<Inside>,
    endpoint: String,
}

/// Called with each request for the content of an object, before it is answered: by key and offset.
type OnGet = Box<dyn Fn(&Bucket, &str, usize) + Send + Sync>;

struct Inside {
    /// With the number of the upload.
    objects: Mutex<BTreeMap<String, (usize, Vec<u8>)>>,
    uploads: AtomicUsize,
    /// `GET key 0-99`, `HEAD key`, `LIST prefix`
    requests: Mutex<Vec<String>>,
    under_way: AtomicUsize,
    under_way_most: AtomicUsize,
    on_get: OnGet,
}

impl Bucket {
    pub(crate) fn new() -> Self {
        Self::with(|_, _, _| {})
    }

    pub(crate) fn with(on_get: impl Fn(&Self, &str, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let inside = Inside {
            objects: Mutex::default(),
            uploads: AtomicUsize::new(0),
            requests: Mutex::default(),
            under_way: AtomicUsize::new(0),
            under_way_most: AtomicUsize::new(0),
            on_get: Box::new(on_get),
        };
        let bucket = Self { inside: Arc::new(inside), endpoint };
        let served = bucket.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let bucket = served.clone();
                thread::spawn(move || bucket.serve(&stream.unwrap()));
            }
        });
        bucket
    }

    pub(crate) fn put(&self, key: &str, content: impl Into<Vec<u8>>) {
        let number = self.inside.uploads.fetch_add(1, Ordering::SeqCst);
        self.inside.objects.lock().unwrap().insert(key.to_owned(), (number, content.into()));
    }

    /// What it was asked for since this was called last.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.inside.requests.lock().unwrap())
    }

    /// The requests for contents since then.
    pub(crate) fn gets(&self) -> Vec<String> {
        let is_get = |request: &String| request.starts_with("GET ");
        self.requests().into_iter().filter(is_get).collect()
    }

    /// How many contents were asked for at once, at most.
    pub(crate) fn under_way_most(&self) -> usize {
        self.inside.under_way_most.load(Ordering::SeqCst)
    }

    /// The loader with what it takes to find the bucket.
    pub(crate) fn reached_by(&self, loader: Loader) -> Loader {
        loader.args(self.flags())
    }

    /// What it takes to find the bucket.
    pub(crate) fn flags(&self) -> [String; 3] {
        ["--endpoint", &self.endpoint, "--anonymous"].map(str::to_owned)
    }

    /// Answers one request after the other.
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        loop {
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                if line.trim().is_empty() {
                    break;
                }
                lines.push(line.trim().to_owned());
            }
            let mut words = lines[0].split(' ');
            let (method, target) = (words.next().unwrap(), words.next().unwrap());
            let header = |name: &str| {
                lines[1..].iter().find_map(|line| {
                    let (found, value) = line.split_once(": ")?;
                    found.eq_ignore_ascii_case(name).then(|| value.to_owned())
                })
            };
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let path = decoded(path);
            let (bucket, key) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
            let (status, body) = match (bucket, key) {
                ("b", "") => ("200 OK\r\nContent-Type: application/xml".to_owned(), self.list(query)),
                ("b", key) => self.object(method, key, header("range"), header("if-match")),
                _ => missing("NoSuchBucket"),
            };
            let mut answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
            // What is answered to HEAD has a length and no body.
            if method != "HEAD" {
                answer.extend(body);
            }
            if (&mut &*stream).write_all(&answer).is_err() {
                return;
            }
        }
    }

    fn list(&self, query: &str) -> Vec<u8> {
        let of = |name: &str| {
            let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            found.map(decoded)
        };
        let prefix = of("prefix").unwrap_or_default();
        self.inside.requests.lock().unwrap().push(format!("LIST {prefix}"));
        let after = of("continuation-token").or_else(|| of("start-after")).unwrap_or_default();
        let most = of("max-keys").map_or(PAGE, |most| most.parse().unwrap());
        let objects = self.inside.objects.lock().unwrap();
        let wanted = |key: &str| key.starts_with(&prefix) && *key > *after;
        let found: Vec<_> = objects.iter().filter(|(key, _)| wanted(key)).collect();
        let mut body = "<ListBucketResult><Name>b</Name>".to_owned();
        for (key, (number, content)) in found.iter().take(most) {
            let escaped = key.replace('&', "&amp;").replace('<', "&lt;");
            write!(
                body,
                "<Contents><Key>{escaped}</Key><LastModified>2024-10-10T00:00:00.000Z</LastModified>\
                 <ETag>\"{number}\"</ETag><Size>{}</Size></Contents>",
                content.len()
            )
            .unwrap();
        }
        if found.len() > most {
            let last = found[most - 1].0;
            write!(
                body,
                "<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>"
            )
            .unwrap();
        }
        body.push_str("</ListBucketResult>");
        body.into_bytes()
    }

    fn object(
        &self,
        method: &str,
        key: &str,
        range: Option<String>,
        if_match: Option<String>,
    ) -> (String, Vec<u8>) {
        let range = range.and_then(|range| {
            let (start, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            Some((start.parse::<usize>().ok()?, last.parse::<usize>().ok()?))
        });
        let asked = range.map_or(String::new(), |(start, last)| format!(" {start}-{last}"));
        self.inside.requests.lock().unwrap().push(format!("{method} {key}{asked}"));
        if method == "GET" {
            let now = self.inside.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.inside.under_way_most.fetch_max(now, Ordering::SeqCst);
            (self.inside.on_get)(self, key, range.map_or(0, |(start, _)| start));
            self.inside.under_way.fetch_sub(1, Ordering::SeqCst);
        }
        let objects = self.inside.objects.lock().unwrap();
        let Some((number, content)) = objects.get(key) else { return missing("NoSuchKey") };
        let etag = format!("\"{number}\"");
        if if_match.is_some_and(|expected| expected != etag) {
            return (
                "412 Precondition Failed".to_owned(),
                b"<Error><Code>PreconditionFailed</Code></Error>".to_vec(),
            );
        }
        let about = format!("ETag: {etag}\r\nLast-Modified: Thu, 10 Oct 2024 00:00:00 GMT");
        match range {
            None => (format!("200 OK\r\n{about}"), content.clone()),
            Some((start, last)) => {
                let last = last.min(content.len() - 1);
                let place = format!("Content-Range: bytes {start}-{last}/{}", content.len());
                (format!("206 Partial Content\r\n{about}\r\n{place}"), content[start..=last].to_vec())
            }
        }
    }
}

fn missing(code: &str) -> (String, Vec<u8>) {
    ("404 Not Found".to_owned(), format!("<Error><Code>{code}</Code></Error>").into_bytes())
}

/// Without `%20` and `+`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Waits for what another request does, and not forever.
pub(crate) fn wait_until(is_so: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
