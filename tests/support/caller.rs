//! Somebody with a token: a person or a machine, and how the audit log names them.

use anyhow::{Context, Result};
use rovuma_lab::{api::Api, config::PEOPLE, person};
use rovuma_policy::{Actor, Role};
use serde_json::json;

use crate::Lab;

/// The gateway as one caller sees it.
pub struct Caller {
    /// The gateway's API with the caller's token.
    pub api: Api,
    /// What the token, and the audit log, call the caller.
    pub subject: String,
    /// The role.
    pub role: Role,
    /// The caller as the policy sees them.
    pub actor: Actor,
}

impl Lab {
    /// Somebody of an agency for each role that there is: the lab's people, and a machine client of each kind.
    ///
    /// # Errors
    /// When a role has nobody, or somebody cannot log in.
    pub async fn everybody(&self, agency: &str) -> Result<Vec<Caller>> {
        let mut callers = Vec::new();
        for role in Role::ALL {
            let caller = match role.is_for_machines() {
                true => self.machine(agency, role).await?,
                false => self.person(agency, role).await?,
            };
            callers.push(caller);
        }
        Ok(callers)
    }

    async fn person(&self, agency: &str, role: Role) -> Result<Caller> {
        let somebody = PEOPLE.into_iter().find(|(_, word)| *word == role.as_str());
        let (name, _) = somebody.with_context(|| format!("nobody in the lab is {role}"))?;
        let info = self.api(agency, name, "identity").await?.get("/oauth2/userinfo").await?.ok()?;
        let subject = info["sub"].as_str().context("a subject")?.to_owned();
        let actor = Actor::person(&subject, &agency.parse()?, [role]);
        Ok(Caller { api: self.api(agency, name, "gateway").await?, subject, role, actor })
    }

    async fn machine(&self, agency: &str, role: Role) -> Result<Caller> {
        let (code, _) = agency.split_once('.').context("an agency code")?;
        let country = self.country(code);
        let id = format!("{agency}.{}", role.as_str().replace('_', "-"));
        let draft = json!({ "id": id, "name": "a machine", "roles": [role] });
        let made = self.api(agency, "admin", "identity").await?.post("/v1/clients", &draft).await?.ok()?;
        let secret = made["client_secret"].as_str().context("a secret")?;
        let token = person::log_in_machine(&country.url("identity")?, &id, secret).await?;
        let actor = Actor::machine(&id, &agency.parse()?, [role]);
        Ok(Caller { api: Api::new(&country.url("gateway")?, Some(token))?, subject: id, role, actor })
    }
}
