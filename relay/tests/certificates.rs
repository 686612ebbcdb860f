//! Own certificate files that change while a server runs.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use relay::certificates::{CertificateError, Certificates};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use tempfile::TempDir;

#[test]
fn files_are_read_again_when_they_change_and_bad_ones_are_not_taken() {
    let folder = TempDir::new().unwrap();
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    let first = write_pair(&certificate, &key);
    let certificates = Arc::new(Certificates::from_files(&certificate, &key).unwrap());
    assert_eq!(certificates.hashes(), Vec::<String>::new());
    assert!(accepts(&certificates, &first));

    std::fs::write(&certificate, "not a certificate").unwrap();
    certificates.refresh(SystemTime::now());
    assert!(
        accepts(&certificates, &first),
        "a bad file must not replace a good certificate"
    );

    let second = write_pair(&certificate, &key);
    certificates.refresh(SystemTime::now());
    assert!(accepts(&certificates, &second));
    assert!(!accepts(&certificates, &first));
}

#[test]
fn files_that_can_not_be_used_are_named() {
    let folder = TempDir::new().unwrap();
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    let error = Certificates::from_files(&certificate, &key).unwrap_err();
    assert!(error.to_string().contains("cert.pem"), "{error}");

    write_pair(&certificate, &folder.path().join("other.pem"));
    write_pair(&folder.path().join("other.pem"), &key);
    assert!(matches!(
        Certificates::from_files(&certificate, &key),
        Err(CertificateError::Pair(_))
    ));
}

fn write_pair(certificate: &Path, key: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
    // Two writes may fall into one tick of the file system's clock; deployments replace files further apart.
    for path in [certificate, key] {
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(
            SystemTime::now() + Duration::from_millis(rand::random_range(1000..1_000_000)),
        )
        .unwrap();
    }
    made.cert.der().clone()
}

/// Whether a client that trusts only `trusted` completes a handshake.
fn accepts(certificates: &Arc<Certificates>, trusted: &CertificateDer<'static>) -> bool {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(certificates.clone());
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let mut client =
        ClientConnection::new(Arc::new(client), ServerName::try_from("localhost").unwrap())
            .unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        if server.process_new_packets().is_err() {
            return false;
        }
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        if client.process_new_packets().is_err() {
            return false;
        }
    }
    true
}
