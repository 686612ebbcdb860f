//! Where the certificate comes from.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;

use super::{CertificateError, Certificates};

/// Certificate options of a server. `#[command(flatten)]` it.
#[derive(Clone, Debug, Default, Args)]
pub struct TlsConfig {
    /// Certificate chain in a PEM file, read again when it changes. Without it the server makes its own certificate.
    #[arg(long, env = "TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key in a PEM file.
    #[arg(long, env = "TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Former name of TLS_CERT.
    #[arg(long, env = "CERT_PATH", requires = "key_path", hide = true)]
    cert_path: Option<PathBuf>,
    /// Former name of TLS_KEY.
    #[arg(long, env = "KEY_PATH", requires = "cert_path", hide = true)]
    key_path: Option<PathBuf>,
}

impl TlsConfig {
    /// Whether the certificate comes from files.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.files().is_some()
    }

    /// The certificate; a self-signed one is also valid for `names`.
    ///
    /// # Errors
    /// [`CertificateError`] if it can't be read or made.
    pub fn load(&self, names: &[String]) -> Result<Certificates, CertificateError> {
        match self.files() {
            Some((certificate, key)) => Certificates::from_files(certificate, key),
            None => Certificates::self_signed(names, SystemTime::now()),
        }
    }

    fn files(&self) -> Option<(&PathBuf, &PathBuf)> {
        self.tls_cert
            .as_ref()
            .or(self.cert_path.as_ref())
            .zip(self.tls_key.as_ref().or(self.key_path.as_ref()))
    }
}
