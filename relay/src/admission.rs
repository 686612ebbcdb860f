//! Who may join. The one place where `/lobby` URLs and room tokens are read, for every transport.

use std::time::{Duration, SystemTime};

use relay_core::Dialect;
use url::{Host, Url};
use videocall_types::api::Access;
use videocall_types::claims::Capabilities;
use videocall_types::{CloseCode, DisplayName, MeetingId, UserId};

use crate::token::TokenSecret;

/// One admitted connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The room to join.
    pub meeting: MeetingId,
    /// Who joins.
    pub user: UserId,
    /// What others see.
    pub name: DisplayName,
    /// How the session speaks.
    pub dialect: Dialect,
    /// What it may do.
    pub can: Capabilities,
    /// When its credential ends, and the session with it.
    pub expires: Option<SystemTime>,
    /// It enters when it says so, and not by connecting.
    pub enters_late: bool,
}

/// Who may join this server.
#[derive(Clone, Debug)]
pub struct AccessPolicy {
    /// With a token only, or anybody.
    pub access: Access,
    /// The key of room tokens; without it no token is accepted.
    pub secret: Option<TokenSecret>,
}

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// The path is not a lobby path.
    #[error("not a lobby path")]
    NotFound,
    /// The meeting or user id, or a query parameter, is not valid.
    #[error("the meeting or user id is not valid")]
    BadRequest,
    /// No valid token.
    #[error("no valid room token")]
    Unauthorized,
}

impl AdmissionError {
    /// The HTTP status of the refusal.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
        }
    }

    /// The close code of the refusal, where the transport can't refuse by status.
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::NotFound | Self::BadRequest => CloseCode::BadRequest,
            Self::Unauthorized => CloseCode::Unauthorized,
        }
    }
}

/// Reads `/lobby/{user}/{meeting}[?name=..][&dialect=native[&enter=late]]` or `/lobby?token=..[&dialect=native[&enter=late]]`.
///
/// # Errors
/// [`AdmissionError`] if the URL is not valid or does not admit anybody.
pub fn admit(access: &AccessPolicy, path_and_query: &str) -> Result<Admission, AdmissionError> {
    let (path, query) = path_and_query
        .split_once('?')
        .unwrap_or((path_and_query, ""));
    let rest = path
        .strip_prefix("/lobby")
        .ok_or(AdmissionError::NotFound)?;
    let query = Query::parse(query)?;
    let enters_late = query.enters_late && query.dialect == Dialect::Native;
    let admission = match (rest, query.token) {
        ("" | "/", Some(token)) => admit_token(access, &token, query.dialect),
        ("" | "/", None) => Err(AdmissionError::Unauthorized),
        (ids, _) => admit_guest(access, ids, query.name.as_deref(), query.dialect),
    };
    admission.map(|admission| Admission {
        enters_late,
        ..admission
    })
}

fn admit_token(
    access: &AccessPolicy,
    token: &str,
    dialect: Dialect,
) -> Result<Admission, AdmissionError> {
    let secret = access.secret.as_ref().ok_or(AdmissionError::Unauthorized)?;
    let claims = secret
        .verify(token)
        .map_err(|_| AdmissionError::Unauthorized)?;
    Ok(Admission {
        name: claims
            .name
            .unwrap_or_else(|| DisplayName::new(""))
            .or_user(&claims.sub),
        expires: SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(claims.exp)),
        meeting: claims.meeting,
        user: claims.sub,
        dialect,
        can: claims.can,
        enters_late: false,
    })
}

fn admit_guest(
    access: &AccessPolicy,
    ids: &str,
    name: Option<&str>,
    dialect: Dialect,
) -> Result<Admission, AdmissionError> {
    let ids = ids.strip_prefix('/').ok_or(AdmissionError::NotFound)?;
    let (user, meeting) = ids.split_once('/').ok_or(AdmissionError::NotFound)?;
    // No character of the alphabet needs percent-encoding, so that an encoded one is refused with the rest.
    let user: UserId = user.parse().map_err(|_| AdmissionError::BadRequest)?;
    let meeting = meeting.parse().map_err(|_| AdmissionError::BadRequest)?;
    match access.access {
        Access::Members => Err(AdmissionError::Unauthorized),
        Access::Open => Ok(Admission {
            name: DisplayName::new(name.unwrap_or_default()).or_user(&user),
            meeting,
            user,
            dialect,
            can: Capabilities::default(),
            expires: None,
            enters_late: false,
        }),
    }
}

#[derive(Default)]
struct Query {
    dialect: Dialect,
    name: Option<String>,
    token: Option<String>,
    enters_late: bool,
}

impl Query {
    /// Unknown parameters are ignored.
    fn parse(query: &str) -> Result<Self, AdmissionError> {
        let mut parsed = Self::default();
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "dialect" => parsed.dialect = dialect(&value)?,
                "name" => parsed.name = Some(value.into_owned()),
                "token" => parsed.token = Some(value.into_owned()),
                "enter" => parsed.enters_late = value == "late",
                _ => {}
            }
        }
        Ok(parsed)
    }
}

fn dialect(text: &str) -> Result<Dialect, AdmissionError> {
    match text {
        "native" => Ok(Dialect::Native),
        "stock" => Ok(Dialect::Stock),
        _ => Err(AdmissionError::BadRequest),
    }
}

/// Whether a page of `origin` may connect to `host` (host name and optional port, as in the request).
/// A native client sends no origin and may. A page may if it comes from the same host name, whatever the port
/// (WebTransport has its own), or if `allowed` names its origin.
#[must_use]
pub fn origin_allowed(origin: Option<&str>, host: Option<&str>, allowed: &[String]) -> bool {
    let Some(origin) = origin else { return true };
    let Ok(origin) = Url::parse(origin) else {
        return false;
    };
    if !matches!(origin.scheme(), "http" | "https") {
        return false;
    }
    let is_named = allowed
        .iter()
        .filter_map(|url| Url::parse(url).ok())
        .any(|url| url.origin() == origin.origin());
    is_named
        || host
            .and_then(host_name)
            .is_some_and(|host| Some(host) == origin.host().map(|name| name.to_owned()))
}

/// The host name of a `Host` header or `:authority`.
fn host_name(host: &str) -> Option<Host> {
    let url = Url::parse(&format!("http://{host}/")).ok()?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none();
    if is_plain {
        url.host().map(|name| name.to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use videocall_types::claims::RoomClaims;

    fn open() -> AccessPolicy {
        AccessPolicy {
            access: Access::Open,
            secret: Some("s".repeat(32).parse().unwrap()),
        }
    }

    fn members() -> AccessPolicy {
        AccessPolicy {
            access: Access::Members,
            ..open()
        }
    }

    fn token(name: Option<&str>) -> String {
        let (sub, meeting) = ("ada".parse().unwrap(), "standup".parse().unwrap());
        let can = Capabilities {
            publish_screen: false,
            ..Capabilities::default()
        };
        let claims = RoomClaims {
            sub,
            meeting,
            name: name.map(DisplayName::new),
            exp: 1 << 40,
            can,
        };
        open().secret.unwrap().sign(&claims).unwrap()
    }

    #[test]
    fn a_guest_is_admitted_to_an_open_server() {
        let admission = admit(
            &open(),
            "/lobby/ada/standup?dialect=native&name=Ada%20L%C3%B8velace&x=1",
        )
        .unwrap();
        assert_eq!(admission.meeting.as_str(), "standup");
        assert_eq!(admission.user.as_str(), "ada");
        assert_eq!(admission.name.as_str(), "Ada Løvelace");
        assert_eq!(admission.dialect, Dialect::Native);
        assert_eq!(
            (admission.can, admission.expires),
            (Capabilities::default(), None)
        );

        let stock = admit(&open(), "/lobby/ada/standup").unwrap();
        assert_eq!(
            (stock.dialect, stock.name.as_str()),
            (Dialect::Stock, "ada")
        );
        assert_eq!(
            admit(&members(), "/lobby/ada/standup"),
            Err(AdmissionError::Unauthorized)
        );
    }

    #[test]
    fn a_token_says_who_and_what() {
        let url = format!(
            "/lobby?token={}&dialect=native&name=Mallory",
            token(Some("Ada"))
        );
        for access in [open(), members()] {
            let admission = admit(&access, &url).unwrap();
            assert_eq!(
                (admission.user.as_str(), admission.name.as_str()),
                ("ada", "Ada")
            );
            assert!(!admission.can.publish_screen);
            assert_eq!(
                admission.expires,
                SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(1 << 40))
            );
        }
        assert_eq!(
            admit(&open(), &format!("/lobby?token={}", token(None)))
                .unwrap()
                .name
                .as_str(),
            "ada"
        );
        let without_key = AccessPolicy {
            access: Access::Open,
            secret: None,
        };
        assert_eq!(admit(&without_key, &url), Err(AdmissionError::Unauthorized));
        assert_eq!(
            admit(&open(), "/lobby?token=x"),
            Err(AdmissionError::Unauthorized)
        );
        assert_eq!(admit(&open(), "/lobby"), Err(AdmissionError::Unauthorized));
    }

    #[test]
    fn bad_urls_are_refused() {
        for path in [
            "",
            "/",
            "/lobb",
            "/lobbyada/x",
            "/lobby/ada",
            "/api/lobby/ada/standup",
        ] {
            assert_eq!(
                admit(&open(), path),
                Err(AdmissionError::NotFound),
                "{path}"
            );
        }
        let long = format!("/lobby/ada/{}", "x".repeat(65));
        for path in [
            "/lobby//standup",
            "/lobby/ada/",
            "/lobby/ada/a%20b",
            "/lobby/ada/a b",
            "/lobby/ada/*",
            "/lobby/ada/>",
            "/lobby/ada/a.b",
            "/lobby/ada/a/b",
            "/lobby/a@b/standup",
            "/lobby/ada/standup?dialect=klingon",
            long.as_str(),
        ] {
            assert_eq!(
                admit(&open(), path),
                Err(AdmissionError::BadRequest),
                "{path}"
            );
        }
    }

    #[test]
    fn pages_of_the_own_host_and_named_ones_may_connect() {
        let named = ["https://app.example.org".to_owned()];
        let host = Some("meet.example.org:4433");
        for origin in [
            None,
            Some("https://meet.example.org"),
            Some("http://meet.example.org:8080"),
            Some("https://MEET.example.org"),
            Some("https://app.example.org"),
            Some("https://app.example.org:443"),
        ] {
            assert!(origin_allowed(origin, host, &named), "{origin:?}");
        }
        for origin in [
            "",
            "null",
            "meet.example.org",
            "https://evil.org",
            "https://meet.example.org.evil.org",
            "https://evilmeet.example.org",
            "https://example.org",
            "https://app.example.org:8443",
            "http://app.example.org",
            "https://meet.example.org@evil.org",
            "file://meet.example.org",
        ] {
            assert!(!origin_allowed(Some(origin), host, &named), "{origin}");
        }
        assert!(!origin_allowed(
            Some("https://meet.example.org"),
            None,
            &named
        ));
        assert!(!origin_allowed(
            Some("https://evil.org"),
            Some("meet.example.org@evil.org"),
            &named
        ));
        assert!(origin_allowed(
            Some("http://[::1]:8080"),
            Some("[::1]:4433"),
            &[]
        ));
    }
}
