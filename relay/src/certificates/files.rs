//! A certificate chain and its key in PEM files.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::CertificateError;

pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    seen: [Version; 2],
    current: Arc<CertifiedKey>,
}

/// What changes when a file is written or replaced.
type Version = Option<(SystemTime, u64)>;

impl Files {
    pub(super) fn load(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        Ok(Self {
            seen: versions(certificate, key),
            current: read(certificate, key)?,
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        })
    }

    pub(super) fn current(&self) -> Arc<CertifiedKey> {
        self.current.clone()
    }

    /// Whether there is a new certificate. A pair that is bad, or replaced only by half, is tried again
    /// when one of the files changes again.
    pub(super) fn refresh(&mut self) -> Result<bool, CertificateError> {
        let now = versions(&self.certificate, &self.key);
        if now == self.seen {
            return Ok(false);
        }
        self.seen = now;
        self.current = read(&self.certificate, &self.key)?;
        Ok(true)
    }
}

fn versions(certificate: &Path, key: &Path) -> [Version; 2] {
    let version = |metadata: Metadata| Some((metadata.modified().ok()?, metadata.len()));
    [certificate, key].map(|path| fs::metadata(path).ok().and_then(version))
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, CertificateError> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(certificate, &error))?;
    if chain.is_empty() {
        return Err(unreadable(certificate, &"no certificate in it"));
    }
    let private_key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
    Ok(Arc::new(CertifiedKey::from_der(
        chain,
        private_key,
        &ring::default_provider(),
    )?))
}

fn unreadable(path: &Path, reason: &dyn ToString) -> CertificateError {
    CertificateError::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
