//! A certificate that browsers accept by its hash (`serverCertificateHashes`): ECDSA P-256, valid for at most 14 days.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};

use super::CertificateError;

/// Names of the machine itself.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A client's clock may be behind by this much.
const BACKDATED: Duration = DAY;
/// With [`BACKDATED`] one day below what browsers allow.
const VALID_FOR: Duration = Duration::from_secs(12 * 24 * 60 * 60);
/// Every certificate waits this long as the next one, and is shown for as long, so that a page that read the
/// hashes stays able to connect for at least this long.
const ROTATE_EVERY: Duration = Duration::from_secs(5 * 24 * 60 * 60);

pub(super) struct SelfSigned {
    names: Vec<String>,
    current: Arc<CertifiedKey>,
    next: Arc<CertifiedKey>,
    rotate_at: SystemTime,
}

impl SelfSigned {
    pub(super) fn new(names: &[String], now: SystemTime) -> Result<Self, CertificateError> {
        let mut all: Vec<String> = OWN_NAMES.map(str::to_owned).into();
        all.extend(
            names
                .iter()
                .filter(|name| !OWN_NAMES.contains(&name.as_str()))
                .cloned(),
        );
        Ok(Self {
            current: generate(&all, now)?,
            next: generate(&all, now)?,
            rotate_at: now + ROTATE_EVERY,
            names: all,
        })
    }

    pub(super) fn current(&self) -> Arc<CertifiedKey> {
        self.current.clone()
    }

    pub(super) fn hashes(&self) -> Vec<String> {
        [&self.current, &self.next]
            .into_iter()
            .filter_map(|certified| hash(certified))
            .collect()
    }

    /// Whether there is a new certificate.
    pub(super) fn refresh(&mut self, now: SystemTime) -> Result<bool, CertificateError> {
        if now < self.rotate_at {
            return Ok(false);
        }
        // After a long suspension the next one is too old as well.
        let missed_one = now >= self.rotate_at + ROTATE_EVERY;
        let fresh = generate(&self.names, now)?;
        self.current = if missed_one {
            generate(&self.names, now)?
        } else {
            self.next.clone()
        };
        self.next = fresh;
        self.rotate_at = now + ROTATE_EVERY;
        Ok(true)
    }
}

fn generate(names: &[String], now: SystemTime) -> Result<Arc<CertifiedKey>, CertificateError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "videocall self-signed");
    params.not_before = (now - BACKDATED).into();
    params.not_after = (now + VALID_FOR).into();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.self_signed(&key)?;
    let private_key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(Arc::new(CertifiedKey::from_der(
        vec![certificate.der().clone()],
        private_key,
        &ring::default_provider(),
    )?))
}

fn hash(certified: &CertifiedKey) -> Option<String> {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(certified.end_entity_cert().ok()?) {
        // Writing to a String can't fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Some(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_hash_is_known_one_rotation_ahead() {
        let start = SystemTime::now();
        let mut pair = SelfSigned::new(&["meet.example.org".to_owned()], start).unwrap();
        let before = pair.hashes();
        assert!(
            !pair
                .refresh(start + ROTATE_EVERY - Duration::from_secs(1))
                .unwrap()
        );
        assert_eq!(pair.hashes(), before);

        assert!(pair.refresh(start + ROTATE_EVERY).unwrap());
        let after = pair.hashes();
        assert_eq!(after.first(), before.get(1));
        assert_ne!(after.get(1), before.get(1));
        assert!(
            after
                .iter()
                .all(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
        );
    }

    #[test]
    fn a_certificate_is_valid_for_as_long_as_it_may_be_shown() {
        assert!(BACKDATED + VALID_FOR < 14 * DAY);
        assert!(VALID_FOR > 2 * ROTATE_EVERY + DAY);
    }

    #[test]
    fn after_a_long_pause_no_old_certificate_is_shown() {
        let start = SystemTime::now();
        let mut pair = SelfSigned::new(&[], start).unwrap();
        let before = pair.hashes();
        assert!(pair.refresh(start + 30 * DAY).unwrap());
        assert!(pair.hashes().iter().all(|hash| !before.contains(hash)));
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        assert!(SelfSigned::new(&["☃".to_owned()], SystemTime::now()).is_err());
    }
}
