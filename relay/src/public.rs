//! How people and clients reach this deployment from outside.

use clap::Args;
use url::Url;

/// Public addresses, for deployments behind a proxy or with several names. `#[command(flatten)]` it.
#[derive(Clone, Debug, Default, Args)]
pub struct PublicConfig {
    /// Where people open the web app, such as `https://meet.example.org`. Default: what the browser asked for.
    #[arg(long, env = "PUBLIC_URL", value_parser = web_url, value_name = "URL")]
    pub public_url: Option<Url>,
    /// Where clients reach WebTransport, such as `https://meet.example.org:4433`. Default: the host that the browser
    /// asked for, and the port of this server.
    #[arg(long, env = "WEBTRANSPORT_PUBLIC_URL", value_parser = web_url, value_name = "URL")]
    pub webtransport_public_url: Option<Url>,
    /// Further relays of this deployment, such as `wss://eu.example.org/lobby,https://eu.example.org:4433/lobby`, separated by
    /// commas: clients join over the one that answers first, and go on over another one when theirs stops. `https` is
    /// WebTransport, with a certificate that browsers trust.
    #[arg(long, env = "RELAY_URLS", value_parser = relay_url, value_delimiter = ',', value_name = "URLS")]
    pub relay_urls: Vec<Url>,
}

impl PublicConfig {
    /// Host names that a certificate of this deployment names.
    #[must_use]
    pub fn host_names(&self) -> Vec<String> {
        let urls = [&self.public_url, &self.webtransport_public_url];
        let mut names: Vec<String> = urls.into_iter().flatten().filter_map(host_name).collect();
        names.dedup();
        names
    }

    /// The origin of the web app.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        self.public_url
            .as_ref()
            .map(|url| url.origin().ascii_serialization())
    }
}

/// An IPv6 address without its brackets: certificates name it so.
fn host_name(url: &Url) -> Option<String> {
    Some(url.host_str()?.trim_matches(['[', ']']).to_owned())
}

fn web_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err("must start with http:// or https://".to_owned())
    }
}

fn relay_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if matches!(url.scheme(), "ws" | "wss" | "https") && url.path().ends_with("/lobby") {
        Ok(url)
    } else {
        Err("must start with wss:// or https:// and end with /lobby".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_origin_come_from_the_urls() {
        let config = PublicConfig {
            public_url: Some(web_url("https://meet.example.org:8443/").unwrap()),
            webtransport_public_url: Some(web_url("https://[::1]:4433").unwrap()),
            relay_urls: vec![relay_url("wss://eu.example.org/lobby").unwrap()],
        };
        assert_eq!(config.host_names(), ["meet.example.org", "::1"]);
        assert_eq!(
            config.origin().as_deref(),
            Some("https://meet.example.org:8443")
        );
        assert!(web_url("ftp://x").is_err());
        assert!(web_url("meet.example.org").is_err());
        assert!(relay_url("http://eu.example.org/lobby").is_err());
        assert!(relay_url("wss://eu.example.org").is_err());
    }
}
