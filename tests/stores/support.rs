//! The stores of a test, and a stub of S3 whose answers the test decides.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use object_stores::{Options, open};
use storage::{LocalStore, Store};
use tempfile::TempDir;

/// The servers of `scripts/servers.sh`, and what an address of each begins with.
const SERVERS: [(&str, &str); 8] = [
    ("MOTO_ENDPOINT", "s3"),
    ("MOTO_LOSSY_ENDPOINT", "s3"),
    ("SEAWEEDFS_ENDPOINT", "s3"),
    ("SEAWEEDFS_LOSSY_ENDPOINT", "s3"),
    ("AZURITE_ENDPOINT", "az"),
    ("AZURITE_LOSSY_ENDPOINT", "az"),
    ("GOOGLE_ENDPOINT", "gs"),
    ("GOOGLE_LOSSY_ENDPOINT", "gs"),
];

/// A store without objects.
pub(crate) struct Empty {
    pub(crate) name: &'static str,
    pub(crate) store: Arc<dyn Store>,
    _directory: Option<TempDir>,
}

impl Empty {
    /// Whether answers of it get lost.
    pub(crate) fn is_lossy(&self) -> bool {
        self.name.contains("LOSSY")
    }
}

/// A directory, and a place in the bucket of each server.
pub(crate) fn stores() -> Vec<Empty> {
    let directory = tempfile::tempdir().unwrap();
    let local = Arc::new(LocalStore::new(directory.path().join("lake"), "_staging"));
    let mut stores = vec![Empty { name: "a directory", store: local, _directory: Some(directory) }];
    for (name, scheme) in SERVERS {
        let Ok(endpoint) = env::var(name) else { continue };
        let options = Options {
            endpoint: Some(endpoint),
            region: None,
            anonymous: scheme == "gs",
            ..Options::default()
        };
        let store = open(&format!("{scheme}://lake/{}", new_name()), &options).unwrap();
        stores.push(Empty { name, store, _directory: None });
    }
    stores
}

fn new_name() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("test-{}-{}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Writes an object by an upload.
pub(crate) fn upload(store: &dyn Store, key: &str, bytes: &[u8]) {
    let mut upload = store.upload(key).unwrap();
    upload.write_all(bytes).unwrap();
    upload.finish().unwrap();
}

/// Bytes that no compression shortens and no two places share.
pub(crate) fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(bytes.div_ceil(8)).flatten().take(bytes).collect()
}

/// Answers each request with what the function says of its lines: the status with its headers, and the body.
/// Returns the endpoint. The server ends with the test.
pub(crate) fn stub(answer: impl Fn(&str) -> (String, String) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || serve(&stream.unwrap(), &*answer));
        }
    });
    endpoint
}

/// Answers one request, and closes the connection.
fn serve(mut stream: &TcpStream, answer: &dyn Fn(&str) -> (String, String)) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    if lines.is_empty() {
        return;
    }
    let length = lines
        .iter()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let (status, body) = answer(&lines.join("\n"));
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}
