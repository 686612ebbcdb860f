//! Room tokens: HS256 JWTs with [`RoomClaims`].

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use videocall_types::claims::RoomClaims;

/// The key that signs room tokens. Never printed.
#[derive(Clone)]
pub struct TokenSecret(Arc<[u8]>);

/// A shorter key can be guessed from one token.
const MIN_SECRET_BYTES: usize = 32;

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a room token secret has at least {MIN_SECRET_BYTES} bytes")]
pub struct SecretTooShort;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Its time is over.
    #[error("the room token has expired")]
    Expired,
    /// Not signed with this key, or not a room token.
    #[error("the room token is not valid")]
    Invalid,
}

impl TokenSecret {
    /// Checks `token` and reads its claims.
    ///
    /// # Errors
    /// [`TokenError`] if it is expired or not valid.
    pub fn verify(&self, token: &str) -> Result<RoomClaims, TokenError> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        let key = DecodingKey::from_secret(&self.0);
        match jsonwebtoken::decode::<RoomClaims>(token, &key, &validation) {
            Ok(data) => Ok(data.claims),
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
                Err(TokenError::Expired)
            }
            Err(_) => Err(TokenError::Invalid),
        }
    }

    /// Signs `claims`.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] if they can't be serialized.
    pub fn sign(&self, claims: &RoomClaims) -> Result<String, TokenError> {
        let key = EncodingKey::from_secret(&self.0);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
            .map_err(|_| TokenError::Invalid)
    }
}

impl FromStr for TokenSecret {
    type Err = SecretTooShort;

    fn from_str(text: &str) -> Result<Self, SecretTooShort> {
        if text.len() < MIN_SECRET_BYTES {
            Err(SecretTooShort)
        } else {
            Ok(Self(text.as_bytes().into()))
        }
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use videocall_types::claims::Capabilities;

    const FOREVER: u64 = 1 << 40;

    fn secret(letter: char) -> TokenSecret {
        letter.to_string().repeat(MIN_SECRET_BYTES).parse().unwrap()
    }

    fn claims(exp: u64) -> RoomClaims {
        let (sub, meeting) = ("ada".parse().unwrap(), "standup".parse().unwrap());
        RoomClaims {
            sub,
            meeting,
            name: None,
            exp,
            can: Capabilities::default(),
        }
    }

    fn encode(algorithm: Algorithm, key: &TokenSecret, body: &str) -> String {
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        jsonwebtoken::encode(
            &Header::new(algorithm),
            &body,
            &EncodingKey::from_secret(&key.0),
        )
        .unwrap()
    }

    #[test]
    fn a_signed_token_is_read() {
        let token = secret('a').sign(&claims(FOREVER)).unwrap();
        assert_eq!(secret('a').verify(&token), Ok(claims(FOREVER)));
    }

    #[test]
    fn anything_else_is_refused() {
        let token = secret('a').sign(&claims(FOREVER)).unwrap();
        assert_eq!(secret('b').verify(&token), Err(TokenError::Invalid));
        assert_eq!(
            secret('a').verify(&secret('a').sign(&claims(1)).unwrap()),
            Err(TokenError::Expired)
        );

        let body = r#"{"sub":"ada","meeting":"standup","exp":1099511627776}"#;
        assert!(
            secret('a')
                .verify(&encode(Algorithm::HS256, &secret('a'), body))
                .is_ok()
        );
        assert_eq!(
            secret('a').verify(&encode(Algorithm::HS512, &secret('a'), body)),
            Err(TokenError::Invalid)
        );
        for body in [
            r#"{"sub":"ada","meeting":"standup"}"#,
            r#"{"sub":"ada","meeting":"standup","exp":1099511627776,"nbf":1099511627775}"#,
            r#"{"sub":"ada","meeting":"","exp":1099511627776}"#,
            r#"{"sub":"ada","meeting":"*","exp":1099511627776}"#,
            r#"{"sub":"ada","meeting":"a.b","exp":1099511627776}"#,
            r#"{"sub":"a b","meeting":"standup","exp":1099511627776}"#,
            r#"{"meeting":"standup","exp":1099511627776}"#,
        ] {
            let token = encode(Algorithm::HS256, &secret('a'), body);
            assert_eq!(
                secret('a').verify(&token),
                Err(TokenError::Invalid),
                "{body}"
            );
        }

        let (payload, _) = token.rsplit_once('.').unwrap();
        // {"alg":"none","typ":"JWT"}
        let (_, claims) = payload.split_once('.').unwrap();
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
        for garbage in ["", "x", "..", payload, unsigned.as_str()] {
            assert_eq!(
                secret('a').verify(garbage),
                Err(TokenError::Invalid),
                "{garbage}"
            );
        }
    }

    #[test]
    fn a_secret_is_long_and_not_shown() {
        assert_eq!("short".parse::<TokenSecret>().unwrap_err(), SecretTooShort);
        assert_eq!(format!("{:?}", secret('a')), "TokenSecret(..)");
    }
}
