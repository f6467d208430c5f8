//! The certificate and key of a listener, which can be replaced while connections are served.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, RootCertStore, ServerConfig,
        crypto::{CryptoProvider, aws_lc_rs},
        server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    },
};

use crate::{config, files};

/// The TLS configuration for new connections of a listener.
#[derive(Debug, Clone)]
pub(crate) struct TlsHandle(Arc<ArcSwap<ServerConfig>>);

/// A certificate and a key that were read and fit each other, but are not in use yet.
#[derive(Debug)]
#[must_use = "the old certificate stays until this one is committed"]
pub(crate) struct Renewal {
    handle: TlsHandle,
    config: ServerConfig,
}

/// The reason why a listener cannot speak TLS. It holds nothing of the key.
#[derive(Debug)]
pub(crate) struct TlsError {
    file: PathBuf,
    fault: TlsFault,
}

#[derive(Debug)]
enum TlsFault {
    Unreadable(io::Error),
    NoCertificate,
    NoKey,
    Mismatch,
    Rejected(rustls::Error),
    ClientAuthority(String),
}

impl TlsHandle {
    /// Reads certificate and key.
    pub(super) fn read(files: &config::Tls) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(ArcSwap::from_pointee(server_config(files)?))))
    }

    /// Reads certificate and key again, for a reload that is all or nothing: the old ones stay until the commit.
    pub(crate) fn prepare(&self, files: &config::Tls) -> Result<Renewal, TlsError> {
        Ok(Renewal { handle: self.clone(), config: server_config(files)? })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.load_full())
    }
}

impl Renewal {
    /// Uses certificate and key for new connections.
    pub(crate) fn commit(self) {
        self.handle.0.store(Arc::new(self.config));
    }
}

fn server_config(files: &config::Tls) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let clients = client_verifier(files.client_ca.as_deref(), &provider)?;
    let chain = certificates(&files.certificate)?;
    let key = private_key(&files.key)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsFault::Rejected(error).in_file(&files.certificate))?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(|error| refusal(error).in_file(&files.certificate))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn client_verifier(
    authority: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let Some(file) = authority else { return Ok(WebPkiClientVerifier::no_client_auth()) };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| TlsFault::ClientAuthority(error.to_string()).in_file(file))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| TlsFault::ClientAuthority(error.to_string()).in_file(file))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(file)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsFault::NoCertificate.in_file(file))?;
    if chain.is_empty() { Err(TlsFault::NoCertificate.in_file(file)) } else { Ok(chain) }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    // The reader's own error may quote the unreadable line.
    PrivateKeyDer::from_pem_slice(&read(file)?).map_err(|_| TlsFault::NoKey.in_file(file))
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    files::read(file).map_err(|error| TlsFault::Unreadable(error).in_file(file))
}

fn refusal(error: rustls::Error) -> TlsFault {
    match error {
        rustls::Error::InconsistentKeys(_) => TlsFault::Mismatch,
        other => TlsFault::Rejected(other),
    }
}

impl TlsFault {
    fn in_file(self, file: &Path) -> TlsError {
        TlsError { file: file.to_owned(), fault: self }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match &self.fault {
            TlsFault::Unreadable(_) => write!(f, "cannot read {file}"),
            TlsFault::NoCertificate => write!(f, "{file} has no well-formed certificates in PEM"),
            TlsFault::NoKey => write!(f, "{file} has no well-formed private key in PEM"),
            TlsFault::Mismatch => write!(f, "the private key is not the one that the certificate in {file} is for"),
            TlsFault::Rejected(_) => write!(f, "the certificate in {file} cannot be used with the private key"),
            TlsFault::ClientAuthority(reason) => write!(f, "{file} cannot be the authority of clients: {reason}"),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            TlsFault::Unreadable(error) => Some(error),
            TlsFault::Rejected(error) => Some(error),
            _ => None,
        }
    }
}
