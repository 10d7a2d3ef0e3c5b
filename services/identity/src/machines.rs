//! Machine clients in the store.

use std::{collections::BTreeSet, fmt, str::FromStr};

use rovuma_policy::{Actor, Role};
use rovuma_schemas::{AgencyCode, Digest, Timestamp};
use rovuma_store::{Conn, RowExt};
use rovuma_tokens::JwkSet;
use sqlx::{Row, any::AnyRow};

use crate::accounts::{roles_of, roles_to_column};

/// The id of a machine client: its agency, a dot, a short name, as in `mz.prm.cad`. It is the
/// `client_id` and the `sub` of its tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MachineId {
    agency: AgencyCode,
    text: String,
}

/// A text that is no machine client's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected AGENCY.NAME, NAME being 2 to 32 of a-z, 0-9, '-', such as mz.prm.cad")]
pub(crate) struct BadMachineId;

impl MachineId {
    /// The agency in the id.
    pub(crate) fn agency(&self) -> &AgencyCode {
        &self.agency
    }

    /// The whole id.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for MachineId {
    type Err = BadMachineId;

    fn from_str(text: &str) -> Result<Self, BadMachineId> {
        let (agency, name) = text.rsplit_once('.').ok_or(BadMachineId)?;
        let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !letters || !(2..=32).contains(&name.len()) {
            return Err(BadMachineId);
        }
        Ok(Self { agency: agency.parse().map_err(|_| BadMachineId)?, text: text.to_owned() })
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A machine client.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) id: MachineId,
    pub(crate) name: String,
    pub(crate) roles: BTreeSet<Role>,
    /// SHA-256 of the secret, if it has one.
    pub(crate) secret: Option<Digest>,
    /// Its public keys as a JWK Set in JSON, if it has any.
    pub(crate) jwks: Option<String>,
    pub(crate) disabled: Option<Timestamp>,
    pub(crate) created: Timestamp,
}

impl Machine {
    /// The agency that the machine acts for.
    pub(crate) fn agency(&self) -> &AgencyCode {
        self.id.agency()
    }

    /// The machine as an actor of the policy.
    pub(crate) fn actor(&self) -> Actor {
        Actor::machine(self.id.as_str(), self.agency(), self.roles.iter().copied())
    }

    /// Its public keys.
    pub(crate) fn keys(&self) -> Option<JwkSet> {
        // The set was parsed when it was registered; if it no longer parses, the machine has no keys.
        self.jwks.as_ref().and_then(|json| JwkSet::parse(json.as_bytes()).ok())
    }

    fn read(row: &AnyRow) -> sqlx::Result<Self> {
        let secret: Option<Vec<u8>> = row.try_get("secret")?;
        Ok(Self {
            id: row.parsed("id")?,
            name: row.try_get("name")?,
            roles: roles_of(row)?,
            secret: secret.map(|_| row.digest("secret")).transpose()?,
            jwks: row.try_get("jwks")?,
            disabled: row.opt_instant("disabled")?,
            created: row.instant("created")?,
        })
    }
}

/// The machine client with this id.
pub(crate) async fn by_id(conn: &mut Conn, unverified_id: &str) -> sqlx::Result<Option<Machine>> {
    let row =
        sqlx::query("SELECT id, name, roles, secret, jwks, disabled, created FROM machine WHERE id = $1")
            .bind(unverified_id)
            .fetch_optional(conn)
            .await?;
    row.as_ref().map(Machine::read).transpose()
}

/// Machine clients of an agency in the order of their ids, beginning after `after`.
pub(crate) async fn page(
    conn: &mut Conn,
    agency: &AgencyCode,
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<Machine>> {
    let rows = sqlx::query(
        "SELECT id, name, roles, secret, jwks, disabled, created FROM machine \
         WHERE agency = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(agency.as_str())
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(Machine::read).collect()
}

/// Adds a machine client. `false`: there is one with this id.
pub(crate) async fn insert(tx: &mut Conn, machine: &Machine) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO machine (id, agency, name, roles, secret, jwks, created) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(machine.id.as_str())
    .bind(machine.agency().as_str())
    .bind(&machine.name)
    .bind(roles_to_column(&machine.roles))
    .bind(machine.secret.map(|digest| digest.as_bytes().to_vec()))
    .bind(&machine.jwks)
    .bind(machine.created.as_micros())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes all columns that can change.
pub(crate) async fn update(tx: &mut Conn, machine: &Machine) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE machine SET name = $1, roles = $2, secret = $3, jwks = $4, disabled = $5 WHERE id = $6",
    )
    .bind(&machine.name)
    .bind(roles_to_column(&machine.roles))
    .bind(machine.secret.map(|digest| digest.as_bytes().to_vec()))
    .bind(&machine.jwks)
    .bind(machine.disabled.map(Timestamp::as_micros))
    .bind(machine.id.as_str())
    .execute(tx)
    .await
    .map(|_| ())
}

/// Stores an assertion until it expires. `false`: it was used before.
pub(crate) async fn use_assertion(
    tx: &mut Conn,
    machine: &MachineId,
    assertion: &rovuma_tokens::Assertion,
) -> sqlx::Result<bool> {
    let digest = rovuma_envelope::digest(format!("{machine}\0{}", assertion.id).as_bytes());
    let done = sqlx::query("INSERT INTO assertion (digest, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(digest.as_bytes().as_slice())
        .bind(assertion.expires.plus(rovuma_tokens::LEEWAY).as_micros())
        .execute(tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machines_id_names_its_agency() {
        let id: MachineId = "mz.prm.cad-2".parse().expect("an id");
        assert_eq!(id.agency().as_str(), "mz.prm");
        for text in ["", "cad", "mz.prm", "mz.prm.", "mz.prm.a", "mz.prm.CAD", "mz.prm.a.b", "prm.cad"] {
            assert_eq!(text.parse::<MachineId>(), Err(BadMachineId), "{text:?}");
        }
    }
}
