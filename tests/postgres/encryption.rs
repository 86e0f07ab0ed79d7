//! `sslmode` and `sslrootcert`: which servers are trusted. A proxy encrypts; behind it is the database, if it
//! is there, and else nothing: then a connection that is trusted is refused for another reason.

use std::{
    env,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use postgres_session::open_with;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use storage::Unusable;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};
use tokio_rustls::TlsAcceptor;

/// What a client asks first that wants an encrypted connection (PostgreSQL, `SSLRequest`).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A server with a certificate.
struct Server {
    address: SocketAddr,
    _runtime: Runtime,
}

impl Server {
    fn new(Certificate { certificate, key }: &Certificate) -> Self {
        let certificate = CertificateDer::from_pem_file(certificate).unwrap();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, acceptor.clone()));
            }
        });
        Self { address, _runtime: runtime }
    }

    /// Whether a connection was refused for the certificate: what is said of it.
    fn refusal(&self, mode: &str, roots: Option<&Path>) -> Option<String> {
        let server = env::var("EVENTLOADER_POSTGRES").unwrap_or_else(|_| "postgresql://u@h/d".to_owned());
        let (user, rest) = server.rsplit_once('@').unwrap();
        let (_, database) = rest.split_once('/').unwrap();
        let roots = roots.map_or_else(String::new, |roots| format!("&sslrootcert={}", roots.display()));
        let address = format!("{user}@{}/{database}?sslmode={mode}{roots}", self.address);
        // Nothing of the user's own counts.
        match open_with(&address, &|_| None) {
            Ok(_) => None,
            Err(error) if error.kind == Unusable::Setting => Some(error.to_string()),
            Err(error) => {
                assert!(env::var("EVENTLOADER_POSTGRES").is_err(), "{mode}: {error}");
                None
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test makes the files of a user")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

/// Encrypts a connection, as a server does when it is asked to.
async fn serve(mut client: TcpStream, acceptor: TlsAcceptor) -> Option<()> {
    let mut request = [0; 8];
    client.read_exact(&mut request).await.ok()?;
    assert_eq!(request, SSL_REQUEST, "the connection is not encrypted");
    client.write_all(b"S").await.ok()?;
    let mut client = acceptor.accept(client).await.ok()?;
    let server = env::var("EVENTLOADER_POSTGRES").ok()?;
    let (_, rest) = server.rsplit_once('@')?;
    let mut server = TcpStream::connect(rest.split('/').next()?).await.ok()?;
    copy_bidirectional(&mut client, &mut server).await.ok().map(|_| ())
}

/// A certificate and its key, by the program `openssl`; it signs itself, or `signer` does.
struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
}

impl Certificate {
    fn new(folder: &Path, (file, host): (&str, &str), signer: Option<&Self>) -> Self {
        let (certificate, key) = (folder.join(format!("{file}.crt")), folder.join(format!("{file}.key")));
        let kind = if host.parse::<IpAddr>().is_ok() { "IP" } else { "DNS" };
        let mut openssl = Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]);
        openssl.args(["-subj", &format!("/CN={file}"), "-addext", &format!("subjectAltName={kind}:{host}")]);
        openssl.arg("-out").arg(&certificate).arg("-keyout").arg(&key);
        if let Some(signer) = signer {
            openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
            openssl.arg("-CA").arg(&signer.certificate).arg("-CAkey").arg(&signer.key);
        }
        let done = openssl.output().expect("openssl is needed");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Self { certificate, key }
    }
}

const HERE: &str = "127.0.0.1";

#[test]
fn a_server_is_trusted_as_far_as_the_mode_says() {
    let folder = tempfile::tempdir().unwrap();
    let new = |names, signer| Certificate::new(folder.path(), names, signer);
    let (ours, theirs) = (new(("ours", HERE), None), new(("theirs", HERE), None));
    let named = Server::new(&new(("named", HERE), Some(&ours)));
    for mode in ["prefer", "require"] {
        assert_eq!(named.refusal(mode, None), None, "{mode}");
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        assert_eq!(named.refusal(mode, Some(&ours.certificate)), None, "{mode}");
        let refusal = named.refusal(mode, Some(&theirs.certificate)).unwrap_or_default();
        let unknown = "can't be encrypted: invalid peer certificate: UnknownIssuer";
        assert!(refusal.contains(unknown), "{mode}: {refusal}");
    }
    // Nobody that the machine trusts has signed it.
    assert!(named.refusal("verify-full", Some("system".as_ref())).is_some());
    // A certificate with another name is as good as its signer.
    let misnamed = Server::new(&new(("misnamed", "db.example"), Some(&ours)));
    assert_eq!(misnamed.refusal("verify-ca", Some(&ours.certificate)), None);
    let refusal = misnamed.refusal("verify-full", Some(&ours.certificate)).unwrap_or_default();
    assert!(refusal.contains("not valid for name"), "{refusal}");
}

#[test]
fn a_server_that_signs_itself_is_trusted_by_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let own = Certificate::new(folder.path(), ("own", HERE), None);
    let server = Server::new(&own);
    assert_eq!(server.refusal("verify-full", Some(&own.certificate)), None);
    let other = Certificate::new(folder.path(), ("other", HERE), None);
    assert!(server.refusal("verify-ca", Some(&other.certificate)).is_some());
}

#[test]
fn a_file_without_certificates_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(&Certificate::new(folder.path(), ("own", HERE), None));
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    for (text, problem) in [("", "has no certificate"), (broken, "is not in the form PEM")] {
        let file = folder.path().join("file");
        write(&file, text);
        let refusal = server.refusal("verify-ca", Some(&file)).unwrap_or_default();
        assert!(refusal.contains(problem), "{refusal}");
    }
    let missing = folder.path().join("missing");
    assert!(server.refusal("verify-full", Some(&missing)).unwrap_or_default().contains("can't be read"));
}
