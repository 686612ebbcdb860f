//! Certificates as clients see them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use relay::Policy;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use testkit::TestServer;
use wtransport::Endpoint;

#[tokio::test]
async fn own_certificates_serve_both_transports_and_are_reloaded() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    let first = write_pair(&certificate, &key);
    let options = [
        "--tls-cert",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let server = TestServer::start_with(&options, Policy::default()).await;
    assert!(
        https_config(server.http, &first)
            .await
            .unwrap()
            .contains("\"certificate_hashes\":[]")
    );
    assert!(connects(server.webtransport, &first).await);

    let second = write_pair(&certificate, &key);
    let reloaded = async { while https_config(server.http, &second).await.is_none() {} };
    tokio::time::timeout(testkit::PATIENCE, reloaded)
        .await
        .expect("the new certificate is shown");
    assert!(connects(server.webtransport, &second).await);
    assert!(!connects(server.webtransport, &first).await);
}

fn write_pair(certificate: &Path, key: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

fn trusting(certificate: &CertificateDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The config route over HTTPS; `None` if the server shows another certificate.
async fn https_config(address: SocketAddr, trusted: &CertificateDer<'static>) -> Option<String> {
    let config = Arc::new(trusting(trusted));
    let request = move || {
        let connection =
            ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
        stream
            .write_all(b"GET /api/v1/config HTTP/1.0\r\nHost: localhost\r\n\r\n")
            .ok()?;
        let mut answer = String::new();
        // The server may close without a TLS alert, after all is said.
        let _ = stream.read_to_string(&mut answer);
        Some(answer)
    };
    tokio::task::spawn_blocking(request).await.unwrap()
}

async fn connects(address: SocketAddr, trusted: &CertificateDer<'static>) -> bool {
    let mut tls = trusting(trusted);
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let config = wtransport::ClientConfig::builder()
        .with_bind_address("127.0.0.1:0".parse().unwrap())
        .with_custom_tls(tls)
        .build();
    let url = format!("https://localhost:{}/lobby/ada/team", address.port());
    Endpoint::client(config).unwrap().connect(url).await.is_ok()
}
