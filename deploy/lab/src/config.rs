//! Writes the services' configuration files.

use std::{fmt::Write as _, path::Path};

use anyhow::Result;
use rovuma_broker::topology::names;
use rovuma_schemas::{AgencyCode, CountryCode};

use crate::{
    certs::TlsIdentity,
    kept,
    keys::path,
    layout::Layout,
    plan::{CountryPlan, GATEWAY},
    postgres::test_store,
    rabbit::RabbitNode,
};

/// The loopback ports of one country's services.
#[derive(Clone, Copy, Debug)]
pub struct ServicePorts {
    /// The gateway's API.
    pub gateway: u16,
    /// The identity provider.
    pub identity: u16,
    /// The auditors' API.
    pub audit: u16,
    /// The watchlist's API.
    pub watchlist: u16,
    /// Health and metrics of the gateway, the identity provider, the audit service and the watchlist.
    pub admin: [u16; 4],
}

/// Settings that a lab makes quicker than a real installation.
#[derive(Clone, Debug)]
pub struct LabTimings {
    /// How often `stream.status` is sent.
    pub status_every_ms: u64,
    /// Age at which a gap is shown and requested.
    pub gap_after_ms: u64,
    /// Delay before a copy without a receipt is sent again for the first time.
    pub retransmit_first_ms: u64,
    /// How long a silent partner still counts as heard.
    pub silence_ms: u64,
    /// How often trust lists are checked for changes.
    pub look_every_ms: u64,
    /// The log filter of the services.
    pub log: String,
}

impl Default for LabTimings {
    fn default() -> Self {
        Self {
            status_every_ms: 60_000,
            gap_after_ms: 60_000,
            retransmit_first_ms: 60_000,
            silence_ms: 180_000,
            look_every_ms: 2_000,
            log: "info".to_owned(),
        }
    }
}

/// Everything that a country's configuration files depend on.
#[derive(Debug)]
pub struct Settings<'a> {
    /// The country and its agencies.
    pub plan: &'a CountryPlan,
    /// Its folder.
    pub layout: &'a Layout,
    /// Its broker.
    pub rabbit: &'a RabbitNode,
    /// The virtual host on its broker.
    pub vhost: &'a str,
    /// The ports of its services.
    pub ports: ServicePorts,
    /// The countries whose trust lists it has, its own included.
    pub countries: &'a [CountryCode],
    /// Its timings.
    pub timings: &'a LabTimings,
}

impl Settings<'_> {
    /// Writes the configuration of every service and of `rovumactl`, except what somebody changed since it was
    /// written last. Returns the notes of [`kept::write`].
    ///
    /// # Errors
    /// When a certificate cannot be issued or a file not be written.
    pub fn write(&self) -> Result<Vec<String>> {
        let texts = [
            ("gateway", self.gateway()?),
            ("identity", self.identity()?),
            ("audit", self.audit()?),
            ("watchlist", self.watchlist()?),
            ("rovumactl", self.rovumactl()?),
        ];
        let mut notes = Vec::new();
        for (service, text) in texts {
            notes.extend(kept::write(&self.layout.config(service), &text)?);
        }
        Ok(notes)
    }

    /// The issuer of the country's access tokens.
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.identity)
    }

    fn gateway(&self) -> Result<String> {
        let user = names::gateway_user(GATEWAY);
        let mut text = format!("country = \"{}\"\nname = \"{GATEWAY}\"\n\n", self.plan.country);
        text += &self.common("gateway", &user, self.ports.gateway, self.ports.admin[0])?;
        text += &self.tokens();
        text += &self.producer(&user, "gateway.pem");
        let timings = self.timings;
        write!(
            text,
            "[exchange]\nstatus_every_ms = {status}\ngap_shown_after_ms = {gap}\nrequest_after_ms = {gap}\n\
             request_backoff_ms = {gap}\nanswer_again_after_ms = {status}\n\n\
             [outbox]\nretransmit_first_ms = {resend}\nsilence_ms = {silence}\n\n\
             [trust]\nlook_every_ms = {look}\n",
            status = timings.status_every_ms,
            gap = timings.gap_after_ms,
            resend = timings.retransmit_first_ms,
            silence = timings.silence_ms,
            look = timings.look_every_ms,
        )?;
        for country in self.countries {
            let (list, authority) = (self.layout.trust_list(*country), self.layout.authority(*country));
            write!(
                text,
                "[[trust.lists]]\ncountry = \"{country}\"\nfile = {}\nauthority_file = {}\n\n",
                quoted(&list),
                quoted(&authority)
            )?;
        }
        for agency in self.plan.served() {
            let (signing, sealing) = (self.layout.signing_key(&agency), self.layout.sealing_key(&agency));
            write!(
                text,
                "[[agency]]\ncode = \"{agency}\"\nsigning_key_file = {}\nsealing_key_files = [{}]\n\n",
                quoted(&signing),
                quoted(&sealing)
            )?;
        }
        Ok(text)
    }

    fn identity(&self) -> Result<String> {
        let mut text = format!("issuer = \"{}\"\n\n", self.issuer());
        text += &self.common("identity", "identity", self.ports.identity, self.ports.admin[1])?;
        text += &self.producer("identity", "identity.pem");
        write!(text, "[signing]\ndirectory = {}\n\n", quoted(&self.layout.data("token-keys")))?;
        // The command line and test programs log people in through a loopback redirect (RFC 8252).
        text += "[[applications]]\nclient_id = \"rovumactl\"\nname = \"rovumactl\"\n\
                 redirect_uris = [\"http://127.0.0.1/callback\"]\n\n";
        for (agency, person) in people(self.plan) {
            write!(
                text,
                "[[bootstrap]]\nagency = \"{agency}\"\nlogin = \"{login}\"\nname = \"{name}\"\nroles = [\"{role}\"]\n\
                 password_file = {password}\nchange_at_first_login = false\n\n",
                login = person.login,
                name = person.login.replace('.', " of "),
                role = person.role,
                password = quoted(&self.layout.secret(&person.login)),
            )?;
        }
        for agency in &self.plan.agencies {
            let id = watchlist_client(&agency.code);
            write!(
                text,
                "[[bootstrap_clients]]\nid = \"{id}\"\nname = \"watchlist\"\nroles = [\"watchlist_service\"]\n\
                 secret_file = {}\n\n",
                quoted(&self.layout.secret(&id)),
            )?;
        }
        Ok(text)
    }

    fn watchlist(&self) -> Result<String> {
        let mut text = format!("country = \"{}\"\n\n", self.plan.country);
        text += &self.common("watchlist", "watchlist", self.ports.watchlist, self.ports.admin[3])?;
        text += &self.tokens();
        text += &self.producer("watchlist", "watchlist.pem");
        write!(
            text,
            "[gateway]\nurl = \"http://127.0.0.1:{}\"\n\n[identity]\nurl = \"{}\"\n\n",
            self.ports.gateway,
            self.issuer()
        )?;
        for agency in &self.plan.agencies {
            let id = watchlist_client(&agency.code);
            write!(
                text,
                "[[agency]]\ncode = \"{code}\"\nclient_id = \"{id}\"\nclient_secret_file = {secret}\n\
                 unit = \"{unit}\"\nlegal_basis = \"example_police_memorandum_2018\"\nlanguage = \"{language}\"\n\
                 contact = {{ name = \"{unit}\", phone = \"{phone}\", hours = \"24 h\" }}\n\n",
                code = agency.code,
                secret = quoted(&self.layout.secret(&id)),
                unit = format_args!("Duty desk of {}", agency.code),
                language = agency.name.0,
                // Invented: numbers that nobody has.
                phone = if self.plan.country.as_str() == "mz" { "+258840000404" } else { "+255700000404" },
            )?;
        }
        text += "[screening]\nposts = [\"namoto_kilambo\"]\n\n";
        Ok(text)
    }

    fn audit(&self) -> Result<String> {
        let mut text = format!("country = \"{}\"\n\n", self.plan.country);
        text += &self.common("audit", "audit", self.ports.audit, self.ports.admin[2])?;
        text += &self.tokens();
        write!(
            text,
            "[keys]\nsigning_key_file = {}\nsealing_key_files = [{}]\nlog_key_file = {}\npayload_key_file = {}\n\n",
            quoted(&self.layout.key("audit.pem")),
            quoted(&self.layout.key("audit.sealing.key")),
            quoted(&self.layout.key("audit.log.pem")),
            quoted(&self.layout.key("audit.payload.key"))
        )?;
        write!(
            text,
            "[publish]\nfolder = {}\n\n[witness]\npolicy_file = {}\nkey_file = {}\n\n",
            quoted(&self.layout.data("audit-log")),
            quoted(&self.layout.audit_policy()),
            quoted(&self.layout.key("audit.witness.pem"))
        )?;
        let gateway = names::gateway_user(GATEWAY);
        for (user, key) in [
            (gateway.as_str(), "gateway"),
            ("identity", "identity"),
            ("rovumactl", "rovumactl"),
            ("watchlist", "watchlist"),
        ] {
            write!(
                text,
                "[[producer]]\nsource = \"{}\"\nkey_files = [{}]\n\n",
                names::audit_source(self.plan.country, user),
                quoted(&self.layout.key(&format!("{key}.jwk")))
            )?;
        }
        Ok(text)
    }

    fn rovumactl(&self) -> Result<String> {
        let (admin, password) = self.rabbit.admin();
        let mut text = format!("country = \"{}\"\n\n", self.plan.country);
        text += &self.store("rovumactl")?;
        text += &self.broker("rovumactl")?;
        text += &self.producer("rovumactl", "rovumactl.pem");
        let ports = self.ports;
        write!(
            text,
            "[gateway]\nurl = \"http://127.0.0.1:{}\"\n\n[identity]\nissuer = \"{}\"\n\n\
             [audit_service]\nurl = \"http://127.0.0.1:{}\"\n\n[watchlist]\nurl = \"http://127.0.0.1:{}\"\n\n\
             [management]\nurl = \"{}\"\nca_file = {}\nuser = \"{admin}\"\npassword_file = {}\n",
            ports.gateway,
            self.issuer(),
            ports.audit,
            ports.watchlist,
            self.rabbit.management().base().trim_end_matches("/api"),
            quoted(&self.rabbit.authority().ca_file()),
            quoted(&password),
        )?;
        Ok(text)
    }

    fn common(&self, service: &str, user: &str, port: u16, admin: u16) -> Result<String> {
        let mut text = self.store(service)?;
        text += &self.broker(user)?;
        write!(
            text,
            "[http]\nlisten = \"127.0.0.1:{port}\"\n\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n\n\
             [log]\nformat = \"json\"\nfilter = \"{}\"\n\n",
            self.timings.log
        )?;
        Ok(text)
    }

    fn store(&self, service: &str) -> Result<String> {
        let folder = self.layout.data("");
        Ok(format!("[store]\nurl = \"{}\"\n\n", test_store(&folder, service)?))
    }

    fn broker(&self, user: &str) -> Result<String> {
        let TlsIdentity { cert_file, key_file } = self.rabbit.issue_client(user)?;
        Ok(format!(
            "[broker]\nurl = \"{}\"\nca_file = {}\ncert_file = {}\nkey_file = {}\n\n",
            self.rabbit.url(self.vhost)?,
            quoted(&self.rabbit.authority().ca_file()),
            quoted(&cert_file),
            quoted(&key_file)
        ))
    }

    fn producer(&self, user: &str, key: &str) -> String {
        format!(
            "[audit]\nsource = \"{}\"\nkey_file = {}\nrecipient_file = {}\nack_key_file = {}\n\n",
            names::audit_source(self.plan.country, user),
            quoted(&self.layout.key(key)),
            quoted(&self.layout.key("audit.sealing.pub")),
            quoted(&self.layout.key("audit.jwk"))
        )
    }

    fn tokens(&self) -> String {
        let issuer = self.issuer();
        format!(
            "[[tokens.issuers]]\nissuer = \"{issuer}\"\naudience = \"rovuma\"\n\
             jwks_url = \"{issuer}/oauth2/jwks.json\"\n\n"
        )
    }
}

/// The id of the machine account under which the watchlist reads and reports for an agency.
pub fn watchlist_client(agency: &AgencyCode) -> String {
    format!("{agency}.watchlist")
}

/// The roles of people, each with the first part of the log-in name of the person who has it in every agency.
pub const PEOPLE: [(&str, &str); 7] = [
    ("officer", "liaison_officer"),
    ("supervisor", "supervisor"),
    ("analyst", "analyst"),
    ("border", "border_officer"),
    ("auditor", "auditor"),
    ("dpo", "data_protection_officer"),
    ("admin", "agency_admin"),
];

/// A person who can log in.
#[derive(Clone, Debug)]
pub struct LabPerson {
    /// The log-in name: `officer.prm`.
    pub login: String,
    /// The person's role.
    pub role: &'static str,
}

/// Every person of a country: one for each role in each agency.
pub fn people(plan: &CountryPlan) -> Vec<(AgencyCode, LabPerson)> {
    let of_agency = |agency: AgencyCode| {
        PEOPLE.map(|(word, role)| {
            (agency.clone(), LabPerson { login: format!("{word}.{}", agency.name()), role })
        })
    };
    plan.served().into_iter().flat_map(of_agency).collect()
}

fn quoted(file: &Path) -> String {
    // A lab's paths contain no quotes or backslashes: they consist of the names above and its folder.
    format!("\"{}\"", path(file))
}
