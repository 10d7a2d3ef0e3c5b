//! Connections of lapin's, for tests that do what [`Broker`](crate::Broker) does not offer.

use lapin::{Connection, ConnectionProperties, uri::AMQPUri};
use rustls::ClientConfig;

pub use crate::tls::client_config;
use crate::{BrokerConfig, link};

/// Connects as whom the configuration says, with frames as large as the broker takes.
///
/// # Panics
/// When the configuration cannot be used.
pub async fn connect(config: &BrokerConfig) -> Result<Connection, lapin::Error> {
    let url = format!("{}?auth_mechanism=external", config.url);
    connect_with(url.parse().expect("an address"), client_config(config).expect("sound files")).await
}

/// Connects to any address, with TLS of any kind.
///
/// # Panics
/// When the address has no host's name.
pub async fn connect_with(uri: AMQPUri, tls: ClientConfig) -> Result<Connection, lapin::Error> {
    let server_name = uri.authority.host.clone().try_into().expect("a server's name");
    link::open(uri, tls, server_name, ConnectionProperties::default()).await
}
