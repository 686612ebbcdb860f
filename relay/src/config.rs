//! Options of the relay, each as flag and as environment variable. Servers flatten these into their own.

use std::num::NonZeroU8;

use clap::{Args, ValueEnum, value_parser};
use relay_core::Policy;
use videocall_types::api::Access;

use crate::admission::AccessPolicy;
use crate::hub::HubConfig;
use crate::token::TokenSecret;

/// Options that every server with a relay has. `#[command(flatten)]` it.
#[derive(Clone, Debug, Args)]
pub struct RelayConfig {
    /// Who may join: anybody who knows the meeting's name, or only holders of a room token.
    #[arg(long, env = "ACCESS", value_enum, default_value_t = AccessArg::Open)]
    pub access: AccessArg,
    /// Key of at least 32 bytes that signs room tokens.
    #[arg(long, env = "ROOM_TOKEN_SECRET", hide_env_values = true)]
    pub room_token_secret: Option<TokenSecret>,
    /// Further origins whose pages may connect, such as `https://meet.example.org`, separated by commas.
    #[arg(long, env = "ALLOWED_ORIGINS", value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
    /// NATS servers that connect this process with others. Without it the process is on its own.
    #[arg(long, env = "NATS_URL", hide_env_values = true)]
    pub nats_url: Option<String>,
    /// Connections to NATS, among which meetings are shared out. More than one helps where one keeps a core busy.
    #[arg(long, env = "NATS_CONNECTIONS", default_value = "1")]
    pub nats_connections: NonZeroU8,
    /// Where this process runs, for metrics.
    #[arg(long, env = "REGION")]
    pub region: Option<String>,
    /// Megabits per second that this process shall send, not counting what the network adds. From there on no new rooms are
    /// opened; with a tenth more, rooms get fewer videos, and in the end only audio.
    #[arg(long, env = "MAX_EGRESS_MBIT", value_name = "MBIT", value_parser = value_parser!(u32).range(1..))]
    pub max_egress_mbit: Option<u32>,
    /// Megabytes of memory that this process shall use. From there on it gives up the same as for MAX_EGRESS_MBIT.
    #[arg(long, env = "MAX_MEMORY_MB", value_name = "MB", value_parser = value_parser!(u32).range(1..))]
    pub max_memory_mb: Option<u32>,
}

/// Values of `ACCESS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AccessArg {
    /// Anybody.
    Open,
    /// Holders of a room token.
    Members,
}

impl From<AccessArg> for Access {
    fn from(arg: AccessArg) -> Self {
        match arg {
            AccessArg::Open => Self::Open,
            AccessArg::Members => Self::Members,
        }
    }
}

/// Why options do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// `members` without a key.
    #[error("ACCESS=members needs ROOM_TOKEN_SECRET")]
    NoSecret,
}

impl RelayConfig {
    /// Who may join.
    ///
    /// # Errors
    /// [`ConfigError`] if the options do not go together.
    pub fn access_policy(&self) -> Result<AccessPolicy, ConfigError> {
        if self.access == AccessArg::Members && self.room_token_secret.is_none() {
            return Err(ConfigError::NoSecret);
        }
        Ok(AccessPolicy {
            access: self.access.into(),
            secret: self.room_token_secret.clone(),
        })
    }

    /// `policy` with the limits that the options name.
    #[must_use]
    pub fn limits(&self, mut policy: Policy) -> Policy {
        let egress = self
            .max_egress_mbit
            .map(|mbit| u64::from(mbit) * 1_000_000 / 8);
        let memory = self.max_memory_mb.map(|mb| u64::from(mb) * 1_000_000);
        policy.overload.egress = egress.or(policy.overload.egress);
        policy.overload.memory = memory.or(policy.overload.memory);
        policy
    }

    /// The hub's part.
    #[must_use]
    pub fn hub(&self) -> HubConfig {
        HubConfig {
            region: self.region.clone(),
        }
    }
}

/// How this process logs. `#[command(flatten)]` it.
#[derive(Clone, Debug, Args)]
pub struct LogConfig {
    /// What is logged, such as `info` or `relay=debug,info`.
    #[arg(long, env = "LOG", default_value = "info,actix_server=warn")]
    pub log: String,
    /// One JSON object per line instead of text.
    #[arg(long, env = "LOG_JSON")]
    pub log_json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Server {
        #[command(flatten)]
        relay: RelayConfig,
    }

    fn parse(args: &[&str]) -> Result<RelayConfig, clap::Error> {
        Server::try_parse_from([&["server"], args].concat()).map(|server| server.relay)
    }

    #[test]
    fn a_server_is_open_and_alone_by_default() {
        let config = parse(&[]).unwrap();
        assert_eq!(config.access_policy().unwrap().access, Access::Open);
        assert_eq!((config.nats_url, config.allowed_origins), (None, vec![]));
        assert_eq!(config.nats_connections, NonZeroU8::MIN);
    }

    #[test]
    fn there_is_at_least_one_connection() {
        let connections = |count| {
            parse(&["--nats-connections", count]).map(|config| config.nats_connections.get())
        };
        assert_eq!(connections("4").unwrap(), 4);
        assert!(connections("0").is_err() && connections("256").is_err());
    }

    #[test]
    fn members_need_a_key() {
        let config = parse(&["--access", "members"]).unwrap();
        assert_eq!(config.access_policy().unwrap_err(), ConfigError::NoSecret);
        let key = "k".repeat(32);
        let config = parse(&["--access", "members", "--room-token-secret", &key]).unwrap();
        let policy = config.access_policy().unwrap();
        assert!(policy.access == Access::Members && policy.secret.is_some());
        assert!(!format!("{config:?}").contains(&key));
        assert!(parse(&["--room-token-secret", "short"]).is_err());
    }

    #[test]
    fn limits_are_options() {
        let policy = parse(&[]).unwrap().limits(Policy::default());
        assert_eq!(policy, Policy::default());
        let options = ["--max-egress-mbit", "800", "--max-memory-mb", "2000"];
        let limits = parse(&options).unwrap().limits(policy).overload;
        assert_eq!(
            (limits.egress, limits.memory),
            (Some(100_000_000), Some(2_000_000_000))
        );
        assert!(parse(&["--max-egress-mbit", "0"]).is_err());
        assert!(parse(&["--max-memory-mb", "-1"]).is_err());
    }

    #[test]
    fn origins_are_a_list() {
        let config = parse(&["--allowed-origins", "https://a.example,https://b.example"]).unwrap();
        assert_eq!(
            config.allowed_origins,
            ["https://a.example", "https://b.example"]
        );
    }
}
