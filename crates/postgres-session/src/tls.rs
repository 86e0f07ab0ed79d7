//! `sslmode` and `sslrootcert` → how a connection is encrypted, and what is asked of the server.
//!
//! | `sslmode` | encrypted | the server's certificate |
//! |---|---|---|
//! | `disable` | no | |
//! | `prefer` | if the server can | any |
//! | `require` | yes | any; with a file of certificates as `verify-ca` |
//! | `verify-ca` | yes | is signed by one that is trusted |
//! | `verify-full` | yes | so, and has the server's name |
//!
//! As libpq has it: <https://www.postgresql.org/docs/current/libpq-ssl.html>. Trusted are the certificates of
//! the file `sslrootcert`, of `~/.postgresql/root.crt`, or else those of the machine.
//!
//! Invariant: with the last two modes nothing is sent to a server that does not prove who it is.

use std::{
    future::Future,
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    Socket,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_rustls::{TlsConnector, client};

/// The name of the machine's own certificates, in the place of a file.
const SYSTEM: &str = "system";

/// The modes, by libpq's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SslMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl SslMode {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                let modes = "disable, prefer, require, verify-ca or verify-full";
                return Err(format!("sslmode is {modes}, not {text:?}"));
            }
        })
    }
}

/// What is asked of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Nothing,
    Signer,
    SignerAndName,
}

/// Makes connections encrypted.
#[derive(Clone)]
pub(crate) struct Encryption {
    config: Arc<ClientConfig>,
    check: Check,
}

impl Encryption {
    /// # Errors
    /// The trusted certificates can't be read.
    pub(crate) fn new(
        mode: SslMode,
        roots: Option<&Path>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let file = roots.map(Path::to_owned).or_else(|| of_home(variable));
        let check = match mode {
            SslMode::VerifyFull => Check::SignerAndName,
            SslMode::VerifyCa => Check::Signer,
            SslMode::Require if file.as_deref().is_some_and(|file| file != SYSTEM) => Check::Signer,
            SslMode::Disable | SslMode::Prefer | SslMode::Require => Check::Nothing,
        };
        let provider = Arc::new(ring::default_provider());
        let trusted = match (check, file) {
            (Check::Nothing, _) => Vec::new(),
            (_, Some(file)) if file != Path::new(SYSTEM) => certificates_of(&file)?,
            _ => rustls_native_certs::load_native_certs().certs,
        };
        let verifier = Verifier::new(check, trusted, Arc::clone(&provider))?;
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?.dangerous();
        let config = config.with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
        Ok(Self { config: Arc::new(config), check })
    }
}

/// libpq's file of a user's trusted certificates, if it is there.
fn of_home(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let file = Path::new(&variable("HOME")?).join(".postgresql/root.crt");
    storage::is_file(&file).then_some(file)
}

fn certificates_of(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = file.display();
    let text = storage::read(file).map_err(|error| format!("sslrootcert {shown} can't be read: {error}"))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(format!("sslrootcert {shown} has no certificate in the form PEM")),
        Err(error) => Err(format!("sslrootcert {shown} is not in the form PEM: {error}")),
    }
}

/// Judges the certificate of a server.
#[derive(Debug)]
struct Verifier {
    check: Check,
    roots: RootCertStore,
    /// The trusted certificates themselves: a server may show one of them as its own.
    trusted: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(
        check: Check,
        trusted: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let (_, ignored) = roots.add_parsable_certificates(trusted.iter().cloned());
        if check != Check::Nothing && roots.is_empty() {
            return Err(format!(
                "there is no certificate to trust ({ignored} can't be used): set sslrootcert"
            ));
        }
        Ok(Self { check, roots, trusted, provider })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.check != Check::Nothing {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            let algorithms = self.provider.signature_verification_algorithms.all;
            let signed = verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &self.roots,
                intermediates,
                now,
                algorithms,
            );
            match signed {
                // A certificate that signs itself may be the server's: it is trusted by its bytes.
                Err(error) if !is_own_signer(&error) || !self.trusted.contains(end_entity) => {
                    return Err(error);
                }
                _ => {}
            }
            if self.check == Check::SignerAndName {
                verify_server_name(&certificate, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        // A certificate that proves nothing may be of a version that can't be read.
        if self.check == Check::Nothing {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.check == Check::Nothing {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a certificate is refused because it is a signer itself, or because nobody else has signed it.
fn is_own_signer(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        // webpki: `CaUsedAsEndEntity`
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

impl MakeTlsConnect<Socket> for Encryption {
    type Stream = Encrypted;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        let name = match ServerName::try_from(host.to_owned()) {
            Ok(name) => name,
            // Names with `_` are none; where the name is not compared, any does.
            Err(_) if self.check != Check::SignerAndName => {
                ServerName::IpAddress(Ipv4Addr::UNSPECIFIED.into())
            }
            Err(error) => {
                return Err(io::Error::other(format!("{host:?} can't be a certificate's name: {error}")));
            }
        };
        Ok(Handshake { connector: TlsConnector::from(Arc::clone(&self.config)), name })
    }
}

/// A connection that is about to be encrypted.
pub(crate) struct Handshake {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move { self.connector.connect(self.name, socket).await.map(Encrypted) })
    }
}

/// An encrypted connection.
pub(crate) struct Encrypted(client::TlsStream<Socket>);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
