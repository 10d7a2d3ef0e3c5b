//! The specification of a node: what differs from one installation to the next.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use rovuma_schemas::{AgencyCode, CountryCode};
use serde::{Deserialize, Serialize};

/// One country's installation, as its broker sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// The country.
    pub country: CountryCode,
    /// Its gateways. One of them serves `<country>.node`, the installation itself.
    pub gateways: Vec<GatewaySpec>,
    /// The readers of domain events on the broker; consoles read events from their gateway instead.
    #[serde(default)]
    pub event_readers: Vec<EventReaderSpec>,
    /// The partner countries.
    #[serde(default)]
    pub partners: Vec<PartnerSpec>,
}

/// A gateway and the agencies it serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewaySpec {
    /// Its name within the country; its broker user is `gateway.<name>`.
    pub name: String,
    /// The agencies whose bundles go to its inbox.
    pub agencies: Vec<AgencyCode>,
}

/// A reader of one agency's domain events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventReaderSpec {
    /// Its name, which is also its broker user.
    pub name: String,
    /// The agency whose events it may read.
    pub agency: AgencyCode,
}

/// A country on the other side of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerSpec {
    /// The country.
    pub country: CountryCode,
    /// How our broker reaches its broker.
    pub link: LinkSpec,
}

/// The partner's broker, and the files on *our broker's* host that our shovels use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// The host name, which its certificate carries.
    pub host: String,
    /// The port for AMQP over TLS, 5671 by custom.
    pub port: u16,
    /// The partner's certificate authority.
    pub ca_file: PathBuf,
    /// Our client certificate there, issued by the partner.
    pub cert_file: PathBuf,
    /// The certificate's private key, which never leaves our host.
    pub key_file: PathBuf,
}

/// A specification that contradicts itself.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecFault {
    /// A name that may not be part of user names, queue names and patterns.
    #[error("{what} {name:?} must be 1 to 32 of a-z, 0-9 and -, beginning with a letter")]
    Name {
        /// The kind of object that has the name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// An object is listed twice.
    #[error("{what} {name} is listed twice")]
    Twice {
        /// The kind of object.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// An agency of another country.
    #[error("agency {agency} is not of {country}")]
    ForeignAgency {
        /// The agency.
        agency: AgencyCode,
        /// The country of the node.
        country: CountryCode,
    },
    /// No gateway serves the installation itself.
    #[error("no gateway serves {country}.node")]
    NoNode {
        /// The country of the node.
        country: CountryCode,
    },
    /// A reader of an agency that no gateway serves.
    #[error("event reader {reader} reads {agency}, which no gateway here serves")]
    UnservedAgency {
        /// The reader.
        reader: String,
        /// The agency.
        agency: AgencyCode,
    },
    /// A country cannot be its own partner.
    #[error("{country} is given as its own partner")]
    OwnPartner {
        /// The country.
        country: CountryCode,
    },
    /// A host name that a URI cannot contain as it is.
    #[error("link to {country}: host {host:?} is not a host name")]
    Host {
        /// The partner.
        country: CountryCode,
        /// The host.
        host: String,
    },
}

/// Users that every node has besides those of the specification.
pub(super) const SERVICES: [&str; 4] = ["audit", "identity", "rovumactl", "watchlist"];

impl NodeSpec {
    /// Checks that the specification does not contradict itself.
    ///
    /// # Errors
    /// The first [`SpecFault`].
    pub fn check(&self) -> Result<(), SpecFault> {
        self.check_names()?;
        let owners = self.owners()?;
        if !owners.contains_key(&AgencyCode::node_of(self.country)) {
            return Err(SpecFault::NoNode { country: self.country });
        }
        for reader in &self.event_readers {
            if !owners.contains_key(&reader.agency) {
                let (reader, agency) = (reader.name.clone(), reader.agency.clone());
                return Err(SpecFault::UnservedAgency { reader, agency });
            }
        }
        self.partners.iter().try_for_each(|partner| self.check_partner(partner))
    }

    fn check_names(&self) -> Result<(), SpecFault> {
        let mut seen = BTreeSet::new();
        for gateway in &self.gateways {
            check_name("gateway", &gateway.name)?;
            only_once(&mut seen, "gateway", &gateway.name)?;
        }
        let mut seen: BTreeSet<_> = SERVICES.into_iter().collect();
        for reader in &self.event_readers {
            check_name("event reader", &reader.name)?;
            only_once(&mut seen, "user", &reader.name)?;
        }
        let mut seen = BTreeSet::new();
        self.partners.iter().try_for_each(|partner| {
            let new = seen.insert(partner.country);
            if new { Ok(()) } else { Err(twice("partner", partner.country.as_str())) }
        })
    }

    /// The gateway of each agency. Fails unless all agencies are of this country and each has one gateway.
    fn owners(&self) -> Result<BTreeMap<&AgencyCode, &str>, SpecFault> {
        let mut owners = BTreeMap::new();
        for gateway in &self.gateways {
            for agency in &gateway.agencies {
                if agency.country() != self.country {
                    return Err(SpecFault::ForeignAgency { agency: agency.clone(), country: self.country });
                }
                if owners.insert(agency, gateway.name.as_str()).is_some() {
                    return Err(twice("agency", agency.as_str()));
                }
            }
        }
        Ok(owners)
    }

    fn check_partner(&self, partner: &PartnerSpec) -> Result<(), SpecFault> {
        if partner.country == self.country {
            return Err(SpecFault::OwnPartner { country: self.country });
        }
        let host = &partner.link.host;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
        if host.is_empty() || !host.bytes().all(is_allowed) {
            return Err(SpecFault::Host { country: partner.country, host: host.clone() });
        }
        Ok(())
    }
}

fn check_name(what: &'static str, name: &str) -> Result<(), SpecFault> {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let rest = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if first && rest && name.len() <= 32 {
        Ok(())
    } else {
        Err(SpecFault::Name { what, name: name.to_owned() })
    }
}

fn only_once<'a>(seen: &mut BTreeSet<&'a str>, what: &'static str, name: &'a str) -> Result<(), SpecFault> {
    if seen.insert(name) { Ok(()) } else { Err(twice(what, name)) }
}

fn twice(what: &'static str, name: &str) -> SpecFault {
    SpecFault::Twice { what, name: name.to_owned() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A node of Mozambique with two gateways, one reader and a partner.
    pub(in crate::topology) fn mozambique() -> NodeSpec {
        let agencies = |codes: &[&str]| codes.iter().map(|code| code.parse().expect("an agency")).collect();
        let link = LinkSpec {
            host: "rabbit.tz.example".into(),
            port: 5671,
            ca_file: "/etc/rovuma/tls/tz-ca.pem".into(),
            cert_file: "/etc/rovuma/tls/link.pem".into(),
            key_file: "/etc/rovuma/tls/link.key".into(),
        };
        NodeSpec {
            country: "mz".parse().expect("a country"),
            gateways: vec![
                GatewaySpec {
                    name: "police".into(),
                    agencies: agencies(&["mz.prm", "mz.sernic", "mz.node"]),
                },
                GatewaySpec { name: "migration".into(), agencies: agencies(&["mz.senami"]) },
            ],
            event_readers: vec![EventReaderSpec {
                name: "prm-desk".into(),
                agency: "mz.prm".parse().expect("an agency"),
            }],
            partners: vec![PartnerSpec { country: "tz".parse().expect("a country"), link }],
        }
    }

    fn fault(change: impl FnOnce(&mut NodeSpec)) -> SpecFault {
        let mut spec = mozambique();
        change(&mut spec);
        spec.check().expect_err("a fault")
    }

    #[test]
    fn a_sound_specification_is_taken() {
        mozambique().check().expect("sound");
    }

    #[test]
    fn names_that_could_widen_a_pattern_are_refused() {
        for name in ["", ".*", "a.b", "A", "1a", "a|b", "polícia", "a\n", &"a".repeat(33)] {
            let found = fault(|spec| spec.gateways[0].name = name.to_owned());
            assert!(matches!(found, SpecFault::Name { .. }), "{name:?}: {found}");
            let found = fault(|spec| spec.event_readers[0].name = name.to_owned());
            assert!(matches!(found, SpecFault::Name { .. }), "{name:?}: {found}");
        }
        let found = fault(|spec| spec.event_readers[0].name = "audit".into());
        assert!(matches!(found, SpecFault::Twice { .. }), "{found}");
        let found = fault(|spec| spec.partners[0].link.host = "h?verify=verify_none&".into());
        assert!(matches!(found, SpecFault::Host { .. }), "{found}");
    }

    #[test]
    fn an_agency_has_one_gateway_of_its_own_country() {
        let prm: AgencyCode = "mz.prm".parse().expect("an agency");
        let found = fault(|spec| spec.gateways[1].agencies.push(prm));
        assert_eq!(found, SpecFault::Twice { what: "agency", name: "mz.prm".into() });
        let tpf: AgencyCode = "tz.tpf".parse().expect("an agency");
        assert!(matches!(fault(|spec| spec.gateways[1].agencies.push(tpf)), SpecFault::ForeignAgency { .. }));
        let found = fault(|spec| spec.gateways[0].agencies.retain(|agency| !agency.is_node()));
        assert!(matches!(found, SpecFault::NoNode { .. }));
        let found = fault(|spec| spec.event_readers[0].agency = "mz.nobody".parse().expect("an agency"));
        assert!(matches!(found, SpecFault::UnservedAgency { .. }));
    }

    #[test]
    fn a_partner_is_another_country_and_there_once() {
        let found = fault(|spec| spec.partners[0].country = spec.country);
        assert!(matches!(found, SpecFault::OwnPartner { .. }));
        let found = fault(|spec| spec.partners.push(spec.partners[0].clone()));
        assert!(matches!(found, SpecFault::Twice { what: "partner", .. }));
    }
}
