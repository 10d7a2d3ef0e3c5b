//! Deliveries that no honest gateway would make, put straight into a broker.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};
use rovuma_broker::{Broker, BrokerConfig, Publication, topology::names};
use rovuma_envelope::{Bundle, Jws, SealingRecipient, SigningKey, Typ, seal};
use rovuma_lab::country;
use rovuma_runtime::Shutdown;
use rovuma_schemas::{AgencyCode, MessageId, StoreId, Timestamp};
use serde_json::{Value, json};

use crate::Lab;

/// Somebody who holds a country's link certificate at its partner's broker.
pub struct Intruder {
    broker: Broker,
    shutdown: Shutdown,
}

impl Intruder {
    /// The link user of Mozambique, at Tanzania's broker.
    ///
    /// # Errors
    /// When the certificate cannot be issued.
    pub async fn from_mozambique(lab: &Lab) -> Result<Self> {
        let (mz, tz) = (lab.border.mz.plan().country, lab.border.tz.plan().country);
        let link = country::link(&lab.nodes.mz, mz, &lab.nodes.tz, tz)?;
        let config = BrokerConfig {
            // As large frames as the broker takes: an intruder is not bound to ours.
            url: format!("{}?frame_max=131072", lab.nodes.tz.url(lab.border.tz.vhost())?),
            ca_file: link.ca_file,
            cert_file: link.identity.cert_file,
            key_file: link.identity.key_file,
            server_name: None,
        };
        let shutdown = Shutdown::new();
        let broker = Broker::start(config, "intruder", &shutdown)?;
        Ok(Self { broker, shutdown })
    }

    /// Publishes bytes to an exchange.
    ///
    /// # Errors
    /// When the broker does not take them.
    pub async fn publish(&self, exchange: &str, routing_key: &str, body: Vec<u8>) -> Result<()> {
        self.publish_with(BTreeMap::new(), exchange, routing_key, body).await
    }

    /// Publishes bytes with headers.
    ///
    /// # Errors
    /// When the broker does not take them.
    pub async fn publish_with(
        &self,
        headers: BTreeMap<String, String>,
        exchange: &str,
        routing_key: &str,
        body: Vec<u8>,
    ) -> Result<()> {
        let publication = Publication {
            exchange: exchange.to_owned(),
            routing_key: routing_key.to_owned(),
            message_id: "forged".to_owned(),
            content_type: "application/octet-stream".to_owned(),
            headers,
            body,
        };
        Ok(self.broker.publish(publication).await?)
    }

    /// Publishes to `ingress.mz` for a Tanzanian agency, in the normal lane.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub async fn deliver(&self, agency: &str, body: Vec<u8>) -> Result<()> {
        self.publish("ingress.mz", &format!("{agency}.normal"), body).await
    }
}

impl Drop for Intruder {
    fn drop(&mut self) {
        self.shutdown.end();
    }
}

/// A message of `mz.prm` to one agency, as its gateway would have written it, to be bent before it is signed.
///
/// # Panics
/// Never: the codes are well-formed.
pub fn message(to: &str, now: Timestamp) -> Value {
    let example = include_str!("../../schemas/examples/valid/message-alert.issue.json");
    let mut message: Value = serde_json::from_str(example).expect("an example is JSON");
    let header = &mut message["header"];
    header["id"] = json!(MessageId::draw(now));
    header["sender"] = json!({ "agency": "mz.prm" });
    header["case"] = json!({ "kind": "alert", "owner": "mz.prm", "id": header["id"] });
    header["recipients"] =
        json!([{ "agency": to, "lane": "normal", "stream": StoreId::draw(), "number": 1 }]);
    header["created"] = json!(now);
    header["expires"] = json!(now.plus(std::time::Duration::from_secs(24 * 3600)));
    if let Some(header) = header.as_object_mut() {
        header.remove("in_reply_to");
    }
    message
}

/// Signs a message with an agency's real key.
///
/// # Errors
/// When the key cannot be read.
pub fn sign(lab: &Lab, agency: &str, message: &Value) -> Result<Jws> {
    sign_bytes(lab, agency, serde_json::to_vec(message)?)
}

/// Signs any bytes with an agency's real key.
///
/// # Errors
/// When the key cannot be read.
pub fn sign_bytes(lab: &Lab, agency: &str, payload: Vec<u8>) -> Result<Jws> {
    let code: AgencyCode = agency.parse()?;
    let file = lab.country(&agency[..2]).layout().signing_key(&code);
    let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(&file)?)?;
    Ok(Jws::sign(Typ::MESSAGE, payload, &key)?)
}

/// Signs with a key that no trust list has.
///
/// # Errors
/// None in practice.
pub fn sign_with_stranger(message: &Value) -> Result<Jws> {
    let key = SigningKey::from_pkcs8_pem(&SigningKey::generate_pem()?)?;
    Ok(Jws::sign(Typ::MESSAGE, serde_json::to_vec(message)?, &key)?)
}

/// Bundles messages and seals them to an agency.
///
/// # Errors
/// When the recipient's public key cannot be read, or they do not fit a bundle.
pub fn bundle(lab: &Lab, to: &str, messages: &[Jws]) -> Result<Vec<u8>> {
    seal_to(lab, to, &Bundle::pack(messages)?)
}

/// Seals any bytes to an agency.
///
/// # Errors
/// When the recipient's public key cannot be read.
pub fn seal_to(lab: &Lab, to: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let code: AgencyCode = to.parse()?;
    let file = lab.country(&to[..2]).layout().sealing_key(&code).with_extension("pub");
    let recipient: SealingRecipient =
        fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?.trim().parse()?;
    Ok(seal(bytes, &recipient)?)
}

/// The queue of a lane of the lab's gateways.
pub fn inbox_queue(lane: rovuma_schemas::Lane) -> String {
    names::inbox_queue(rovuma_lab::plan::GATEWAY, lane)
}
