//! Back-off and lock-out: limits how often somebody may guess a password.
//!
//! Attempts are counted by the log-in name that was typed, whether or not anybody has it, and by the
//! address that they come from. A name that nobody has is therefore blocked just like one that exists.
//! An attempt counts *before* the password is compared, so a hundred parallel guesses do not evade the
//! limit.

use std::{net::IpAddr, time::Duration};

use rovuma_envelope::digest;
use rovuma_schemas::{Digest, Timestamp};
use rovuma_store::{Conn, RowExt};

use crate::Login;

/// Failures of one log-in name that cost no wait: people mistype, and confuse their passwords.
const LOGIN_FREE: u64 = 4;
/// The wait after the first failure beyond [`LOGIN_FREE`]; it doubles with each further one.
const LOGIN_FIRST_WAIT: Duration = Duration::from_secs(30);
/// From this failure on the log-in name is locked. NIST SP 800-63B-4 §3.2.2 allows at most 100.
const LOGIN_LOCK_AFTER: u64 = 10;
/// How long a log-in name stays locked; an administrator ends the lock by resetting the password. The lock
/// is not permanent, because anybody could lock out anybody by guessing.
const LOGIN_LOCK: Duration = Duration::from_secs(3600);
/// The failures of a log-in name are forgotten after this time without another.
const LOGIN_FORGET: Duration = Duration::from_secs(24 * 3600);

/// Failures from one address that cost no wait. A whole district may share one address.
const ADDRESS_FREE: u64 = 50;
/// The wait after each further failure from an address; its failures are forgotten after the same time.
const ADDRESS_WAIT: Duration = Duration::from_secs(900);

/// The log-in name or address by which attempts are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThrottleKey {
    kind: KeyKind,
    digest: Digest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyKind {
    Login,
    Address,
}

/// Whether an attempt may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThrottleDecision {
    /// The attempt may go on, and has been counted as a failure.
    Counted {
        /// Failures in a row, this attempt included.
        failures: u64,
        /// If this attempt fails, the next must wait until then. `None`: it may follow at once.
        blocked_until: Option<Timestamp>,
        /// Attempts refused as blocked since the last one that was counted.
        refused_before: u64,
    },
    /// The attempt is refused, and no password is compared.
    Blocked {
        /// The time of the next possible attempt.
        until: Timestamp,
    },
}

impl ThrottleKey {
    /// Counts guesses at one log-in name.
    pub(crate) fn login(login: &Login) -> Self {
        Self { kind: KeyKind::Login, digest: digest(format!("login\0{}", login.as_str()).as_bytes()) }
    }

    /// Counts guesses from one address; for IPv6, from its /64 network, which one customer has.
    pub(crate) fn address(address: IpAddr) -> Self {
        Self::of_network("address", address)
    }

    /// Counts failed authentications of clients from one address, apart from people's log-ins: an agency's own system
    /// with a wrong secret must not keep its officers out, who come from the same address.
    pub(crate) fn client_address(address: IpAddr) -> Self {
        Self::of_network("client address", address)
    }

    fn of_network(what: &str, address: IpAddr) -> Self {
        let network = match address.to_canonical() {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("{:x?}", &v6.segments()[..4]),
        };
        Self { kind: KeyKind::Address, digest: digest(format!("{what}\0{network}").as_bytes()) }
    }
}

/// Counts an attempt as a failure, unless the key is blocked. [`forgive_attempt`] takes it back.
pub(crate) async fn count_attempt(
    tx: &mut Conn,
    key: ThrottleKey,
    now: Timestamp,
) -> sqlx::Result<ThrottleDecision> {
    let row = sqlx::query("SELECT failures, failed, blocked_until, refused FROM throttle WHERE key = $1")
        .bind(key.digest.as_bytes().as_slice())
        .fetch_optional(&mut *tx)
        .await?;
    let (mut failures, mut refused) = (0, 0);
    if let Some(row) = row {
        if let Some(until) = row.opt_instant("blocked_until")?.filter(|until| *until > now) {
            count_refusal(tx, key).await?;
            return Ok(ThrottleDecision::Blocked { until });
        }
        refused = row.count("refused")?;
        let forgotten = now.since(row.instant("failed")?) >= key.kind.forget_after();
        failures = if forgotten { 0 } else { row.count("failures")? };
    }
    failures += 1;
    let blocked_until = key.kind.wait_after(failures).map(|wait| now.plus(wait));
    save_count(tx, key, failures, blocked_until, now).await?;
    Ok(ThrottleDecision::Counted { failures, blocked_until, refused_before: refused })
}

/// Takes back an attempt that was counted and whose password was not compared. Earlier failures stay: otherwise whoever
/// makes the service too busy to compare would have all guesses before forgiven.
pub(crate) async fn uncount_attempt(tx: &mut Conn, key: ThrottleKey) -> sqlx::Result<()> {
    take_one_off(tx, key).await
}

/// Forgives an attempt whose password was right: forgets all failures of the log-in name, and takes one off the address.
pub(crate) async fn forgive_attempt(tx: &mut Conn, key: ThrottleKey) -> sqlx::Result<()> {
    match key.kind {
        KeyKind::Login => {
            let delete = sqlx::query("DELETE FROM throttle WHERE key = $1");
            delete.bind(key.digest.as_bytes().as_slice()).execute(tx).await.map(|_| ())
        }
        // Failures of the address stay: otherwise the owner of one password could guess others for ever.
        KeyKind::Address => take_one_off(tx, key).await,
    }
}

/// Takes one failure off. The attempt was let through, so no earlier block was left.
async fn take_one_off(tx: &mut Conn, key: ThrottleKey) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE throttle SET failures = failures - 1, blocked_until = NULL WHERE key = $1 AND failures > 0",
    )
    .bind(key.digest.as_bytes().as_slice())
    .execute(tx)
    .await
    .map(|_| ())
}

/// Deletes counts that have not changed for [`LOGIN_FORGET`].
pub(crate) async fn prune(tx: &mut Conn, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM throttle WHERE failed < $1")
        .bind(now.minus(LOGIN_FORGET).as_micros())
        .execute(tx)
        .await
        .map(|_| ())
}

async fn count_refusal(tx: &mut Conn, key: ThrottleKey) -> sqlx::Result<()> {
    sqlx::query("UPDATE throttle SET refused = refused + 1 WHERE key = $1")
        .bind(key.digest.as_bytes().as_slice())
        .execute(tx)
        .await
        .map(|_| ())
}

async fn save_count(
    tx: &mut Conn,
    key: ThrottleKey,
    failures: u64,
    blocked_until: Option<Timestamp>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO throttle (key, failures, failed, blocked_until, refused) VALUES ($1, $2, $3, $4, 0) \
         ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, failed = excluded.failed, \
         blocked_until = excluded.blocked_until, refused = 0",
    )
    .bind(key.digest.as_bytes().as_slice())
    .bind(i64::try_from(failures).unwrap_or(i64::MAX))
    .bind(now.as_micros())
    .bind(blocked_until.map(Timestamp::as_micros))
    .execute(tx)
    .await
    .map(|_| ())
}

impl KeyKind {
    const fn forget_after(self) -> Duration {
        match self {
            Self::Login => LOGIN_FORGET,
            Self::Address => ADDRESS_WAIT,
        }
    }

    fn wait_after(self, failures: u64) -> Option<Duration> {
        match self {
            Self::Address => (failures > ADDRESS_FREE).then_some(ADDRESS_WAIT),
            Self::Login if failures >= LOGIN_LOCK_AFTER => Some(LOGIN_LOCK),
            Self::Login => {
                let beyond = failures.checked_sub(LOGIN_FREE + 1)?;
                // At most LOGIN_LOCK_AFTER doublings: no overflow.
                Some(LOGIN_FIRST_WAIT * (1 << beyond))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rovuma_store::{FutureExt as _, Store, StoreConfig};

    use super::*;

    fn address(text: &str) -> Digest {
        ThrottleKey::address(text.parse().expect("an address")).digest
    }

    #[test]
    fn waits_double_until_the_lock() {
        let waits: Vec<_> =
            (1..=12).map(|failures| KeyKind::Login.wait_after(failures).map(|wait| wait.as_secs())).collect();
        let none = None;
        assert_eq!(waits[..4], [none; 4]);
        assert_eq!(waits[4..9], [Some(30), Some(60), Some(120), Some(240), Some(480)]);
        assert_eq!(waits[9..], [Some(3600); 3]);
    }

    #[test]
    fn an_address_may_fail_often_before_it_waits() {
        assert_eq!(KeyKind::Address.wait_after(50), None);
        assert_eq!(KeyKind::Address.wait_after(51), Some(ADDRESS_WAIT));
    }

    #[test]
    fn one_customers_addresses_are_one() {
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
        assert_ne!(address("10.0.0.1"), address("10.0.0.2"));
    }

    #[tokio::test]
    async fn an_attempt_that_was_not_compared_forgives_none_before_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = rovuma_lab::postgres::test_store(folder.path(), "throttle").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[crate::service::MIGRATIONS]).await.expect("opened");
        let key = ThrottleKey::login(&Login::parse("ana.tembe").expect("a name"));
        let now: Timestamp = "2026-11-23T18:14:29Z".parse().expect("RFC 3339");
        let count = async || {
            let counted =
                store.write(move |tx| async move { count_attempt(tx, key, now).await }.boxed()).await;
            match counted.expect("counted") {
                ThrottleDecision::Counted { failures, .. } => Some(failures),
                ThrottleDecision::Blocked { .. } => None,
            }
        };
        for failures in 1..=4 {
            assert_eq!(count().await, Some(failures));
        }
        for _ in 0..3 {
            // The service was too busy to compare: the fifth guess stays the fifth.
            assert_eq!(count().await, Some(5));
            let uncount = store.write(move |tx| async move { uncount_attempt(tx, key).await }.boxed());
            uncount.await.expect("taken back");
        }
        assert_eq!(count().await, Some(5));
        assert_eq!(count().await, None, "the guesses before are remembered");
        let forgive = store.write(move |tx| async move { forgive_attempt(tx, key).await }.boxed());
        forgive.await.expect("forgiven");
        assert_eq!(count().await, Some(1), "a right password begins anew");
    }

    #[test]
    fn a_name_and_an_address_are_never_one() {
        let login = Login::parse("10.0.0.1").expect("a name");
        assert_ne!(ThrottleKey::login(&login).digest, address("10.0.0.1"));
        let client = ThrottleKey::client_address("10.0.0.1".parse().expect("an address"));
        assert_ne!(client.digest, address("10.0.0.1"));
    }
}
