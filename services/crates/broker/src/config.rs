//! The broker's address and our client certificate.

use std::path::PathBuf;

use lapin::uri::{AMQPScheme, AMQPUri, SASLMechanism};
use rustls::pki_types::ServerName;
use serde::Deserialize;

/// Seconds between heartbeats, as requested of the broker: a dead line is noticed within two of them.
const HEARTBEAT_S: u16 = 20;

/// Maximum size of a frame. Few bundles are larger, and those take several frames. lapin keeps room for 64 frames a
/// connection: with RabbitMQ's default of 128 KiB that would be 8 MiB. RabbitMQ cannot split a content header and sends a larger
/// one as it is: the module `incoming` makes it small before lapin reads it.
const FRAME_MAX_BYTES: u32 = 16 * 1024;

/// The section `[broker]` of a service's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerConfig {
    /// `amqps://host:port/vhost`, without a user: the certificate says who we are.
    pub url: String,
    /// The certificate authority of the broker (PEM). No other authority is trusted.
    pub ca_file: PathBuf,
    /// Our client certificate (PEM); its common name is our user name at the broker.
    pub cert_file: PathBuf,
    /// The certificate's private key (PKCS #8, PEM).
    pub key_file: PathBuf,
    /// The name the broker's certificate must carry, when it is not the host of `url`.
    #[serde(default)]
    pub server_name: Option<String>,
}

/// A broker configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// The URL cannot be parsed.
    #[error("broker url is not an AMQP URL: {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// The URL asks for a connection without TLS.
    #[error("broker url must begin with amqps://: messages never travel in clear text")]
    ClearText,
    /// The URL carries a user or password.
    #[error("broker url must not carry a user or password: the client certificate says who we are")]
    Credentials,
    /// The private key cannot be read, or everybody can read it.
    #[error(transparent)]
    Key(#[from] rovuma_runtime::SecretError),
    /// A certificate cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The key is not that of the certificate.
    #[error(
        "the private key {} and the certificate {} do not belong together: the certificate was issued for another key. Give \
         the key that it was requested with, or have a certificate issued for this key",
        key_file.display(), cert_file.display()
    )]
    NotAPair {
        /// The private key's file.
        key_file: PathBuf,
        /// The certificate's file.
        cert_file: PathBuf,
    },
    /// A certificate or key is not what it should be.
    #[error("{path} is not usable: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A checked address: always TLS, always SASL EXTERNAL.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) uri: AMQPUri,
    pub(crate) server_name: ServerName<'static>,
}

impl Address {
    /// Parses the URL of a configuration, which must be `amqps://host[:port]/vhost`.
    pub(crate) fn of(config: &BrokerConfig) -> Result<Self, ConfigFault> {
        // The parser reads an IPv6 address as "localhost": refuse it rather than connect elsewhere.
        if config.url.contains('[') {
            return Err(ConfigFault::Url { reason: "give the host by name, not as an IPv6 address".into() });
        }
        let mut uri: AMQPUri = config.url.parse().map_err(|reason| ConfigFault::Url { reason })?;
        if uri.scheme != AMQPScheme::AMQPS {
            return Err(ConfigFault::ClearText);
        }
        if config.url.contains('@') {
            return Err(ConfigFault::Credentials);
        }
        uri.query.auth_mechanism = Some(SASLMechanism::External);
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        uri.query.frame_max.get_or_insert(FRAME_MAX_BYTES);
        // EXTERNAL sends no user name; the parser's "guest" must not reach the wire.
        uri.authority.userinfo.username.clear();
        uri.authority.userinfo.password.clear();
        let name = config.server_name.clone().unwrap_or_else(|| uri.authority.host.clone());
        let server_name = ServerName::try_from(name.clone())
            .map_err(|fault| ConfigFault::Url { reason: format!("{name:?} is no server's name: {fault}") })?;
        Ok(Self { uri, server_name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> BrokerConfig {
        let file = PathBuf::from("unused.pem");
        BrokerConfig {
            url: url.to_owned(),
            ca_file: file.clone(),
            cert_file: file.clone(),
            key_file: file,
            server_name: None,
        }
    }

    #[test]
    fn an_address_is_always_tls_and_external() {
        let address = Address::of(&config("amqps://rabbit.example:5671/rovuma")).expect("usable");
        assert_eq!(address.uri.query.auth_mechanism, Some(SASLMechanism::External));
        assert_eq!(address.uri.query.frame_max, Some(FRAME_MAX_BYTES));
        assert_eq!(
            (address.uri.vhost.as_str(), address.server_name),
            ("rovuma", "rabbit.example".try_into().expect("a name"))
        );
        assert_eq!(address.uri.authority.userinfo.username, "");
    }

    #[test]
    fn clear_text_credentials_and_nonsense_are_refused() {
        assert!(matches!(Address::of(&config("amqp://h/rovuma")), Err(ConfigFault::ClearText)));
        assert!(matches!(
            Address::of(&config("amqps://guest:guest@h/rovuma")),
            Err(ConfigFault::Credentials)
        ));
        for url in ["", "rabbit", "https://h/rovuma", "amqps://[::1]:5671/rovuma"] {
            assert!(matches!(Address::of(&config(url)), Err(ConfigFault::Url { .. })), "{url:?} was taken");
        }
        let unnamed =
            BrokerConfig { server_name: Some("no name".into()), ..config("amqps://rabbit.example/rovuma") };
        assert!(matches!(Address::of(&unnamed), Err(ConfigFault::Url { .. })));
    }
}
