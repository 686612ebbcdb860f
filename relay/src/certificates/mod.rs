//! The TLS certificate of a server: own files that are read again when they change, or a self-signed one that is
//! replaced in time. New handshakes get the fresh certificate; established sessions do not notice.

mod config;
mod files;
mod self_signed;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

pub use config::TlsConfig;
use files::Files;
use self_signed::SelfSigned;

/// How often [`Certificates::keep_fresh`] looks.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file can't be read, or what is in it is no certificate or key.
    #[error("can't read {}: {reason}", path.display())]
    File {
        /// Of the certificate or of the key.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The key is not the certificate's, or of a kind that TLS does not know.
    #[error("certificate and key can't be used: {0}")]
    Pair(#[from] rustls::Error),
    /// A name that no certificate can be made for.
    #[error("can't make a certificate: {0}")]
    Generate(#[from] rcgen::Error),
}

/// The certificate that a server shows at the moment. Endpoints share it as the resolver of their TLS configuration.
pub struct Certificates(Mutex<Source>);

enum Source {
    Files(Files),
    SelfSigned(SelfSigned),
}

impl Certificates {
    /// A certificate chain and its key in PEM files.
    ///
    /// # Errors
    /// [`CertificateError`] if they can't be used.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        Ok(Self(Mutex::new(Source::Files(Files::load(
            certificate,
            key,
        )?))))
    }

    /// A certificate that no authority vouches for: clients accept it by its hash.
    /// `names` are host names and addresses besides those of the machine itself.
    ///
    /// # Errors
    /// [`CertificateError`] if one of `names` is not a host name.
    pub fn self_signed(names: &[String], now: SystemTime) -> Result<Self, CertificateError> {
        Ok(Self(Mutex::new(Source::SelfSigned(SelfSigned::new(
            names, now,
        )?))))
    }

    /// SHA-256 of the certificates that clients shall accept now and after the next rotation, in lower-case hex.
    /// Empty with own files: there the public authorities vouch.
    #[must_use]
    pub fn hashes(&self) -> Vec<String> {
        match &*self.source() {
            Source::Files(_) => Vec::new(),
            Source::SelfSigned(pair) => pair.hashes(),
        }
    }

    /// Keeps the certificate fresh; never returns.
    pub async fn keep_fresh(&self) {
        let mut tick = tokio::time::interval(CHECK_EVERY);
        loop {
            tick.tick().await;
            self.refresh(SystemTime::now());
        }
    }

    /// Reads files that have changed, and replaces a self-signed certificate that is due. What fails changes nothing.
    pub fn refresh(&self, now: SystemTime) {
        let refreshed = match &mut *self.source() {
            Source::Files(files) => files.refresh(),
            Source::SelfSigned(pair) => pair.refresh(now),
        };
        match refreshed {
            Ok(true) => tracing::info!("new certificate in use"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "keeping the old certificate"),
        }
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(match &*self.source() {
            Source::Files(files) => files.current(),
            Source::SelfSigned(pair) => pair.current(),
        })
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}
