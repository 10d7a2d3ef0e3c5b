//! The accounts of persons, in the store.

use std::collections::BTreeSet;

use rovuma_policy::{Actor, Role};
use rovuma_schemas::{AgencyCode, BadId, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use crate::{AccountId, Login};

/// A person's account.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) agency: AgencyCode,
    pub(crate) login: String,
    pub(crate) name: String,
    pub(crate) roles: BTreeSet<Role>,
    /// The password's hash, a PHC string.
    pub(crate) password: String,
    /// Somebody else set the password: its owner must choose another at the next log-in.
    pub(crate) must_change: bool,
    pub(crate) disabled: Option<Timestamp>,
    pub(crate) created: Timestamp,
}

impl Account {
    /// The person as an actor of the policy.
    pub(crate) fn actor(&self) -> Actor {
        Actor::person(&self.id.to_string(), &self.agency, self.roles.iter().copied())
    }

    fn read(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: account_id(row, "id")?,
            agency: row.parsed("agency")?,
            login: row.try_get("login")?,
            name: row.try_get("name")?,
            roles: roles_of(row)?,
            password: row.try_get("password")?,
            must_change: row.count("must_change")? != 0,
            disabled: row.opt_instant("disabled")?,
            created: row.instant("created")?,
        })
    }
}

/// The account id in a column.
pub(crate) fn account_id(row: &AnyRow, column: &str) -> sqlx::Result<AccountId> {
    let damaged = |fault: BadId| sqlx::Error::ColumnDecode { index: column.into(), source: Box::new(fault) };
    AccountId::from_slice(row.try_get(column)?).map_err(damaged)
}

/// The roles in a row; a role that this version does not know gives no right.
pub(crate) fn roles_of(row: &AnyRow) -> sqlx::Result<BTreeSet<Role>> {
    let words: &str = row.try_get("roles")?;
    Ok(Actor::roles_from_words(words.split_whitespace()))
}

/// Roles in the form that the column holds.
pub(crate) fn roles_to_column(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" ")
}

/// The account with this log-in name.
pub(crate) async fn by_login(conn: &mut Conn, login: &Login) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query(
        "SELECT id, agency, login, name, roles, password, must_change, disabled, created \
         FROM account WHERE login = $1",
    )
    .bind(login.as_str())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(Account::read).transpose()
}

/// The account with this id.
pub(crate) async fn by_id(conn: &mut Conn, id: AccountId) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query(
        "SELECT id, agency, login, name, roles, password, must_change, disabled, created \
         FROM account WHERE id = $1",
    )
    .bind(id.as_bytes())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(Account::read).transpose()
}

/// Accounts of an agency in the order in which they were created, beginning after `after`.
pub(crate) async fn page(
    conn: &mut Conn,
    agency: &AgencyCode,
    after: Option<AccountId>,
    limit: i64,
) -> sqlx::Result<Vec<Account>> {
    let after = after.as_ref().map_or(&[][..], AccountId::as_bytes);
    let rows = sqlx::query(
        "SELECT id, agency, login, name, roles, password, must_change, disabled, created \
         FROM account WHERE agency = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(agency.as_str())
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(Account::read).collect()
}

/// Adds an account. `false`: the log-in name is taken.
pub(crate) async fn insert(tx: &mut Conn, account: &Account) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO account (id, agency, login, name, roles, password, password_changed, must_change, created) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (login) DO NOTHING",
    )
    .bind(account.id.as_bytes())
    .bind(account.agency.as_str())
    .bind(&account.login)
    .bind(&account.name)
    .bind(roles_to_column(&account.roles))
    .bind(&account.password)
    .bind(account.created.as_micros())
    .bind(i64::from(account.must_change))
    .bind(account.created.as_micros())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes name, roles and whether the account is disabled.
pub(crate) async fn update(tx: &mut Conn, account: &Account) -> sqlx::Result<()> {
    sqlx::query("UPDATE account SET name = $1, roles = $2, disabled = $3 WHERE id = $4")
        .bind(&account.name)
        .bind(roles_to_column(&account.roles))
        .bind(account.disabled.map(Timestamp::as_micros))
        .bind(account.id.as_bytes())
        .execute(tx)
        .await
        .map(|_| ())
}

/// Sets the password's hash.
pub(crate) async fn set_password(
    tx: &mut Conn,
    id: AccountId,
    password: &str,
    must_change: bool,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE account SET password = $1, password_changed = $2, must_change = $3 WHERE id = $4")
        .bind(password)
        .bind(now.as_micros())
        .bind(i64::from(must_change))
        .bind(id.as_bytes())
        .execute(tx)
        .await
        .map(|_| ())
}
