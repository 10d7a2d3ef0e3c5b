//! Back-off and lock-out: how often one may guess.
//!
//! Attempts are counted by the log-in name that was typed, whether or not anybody has it, and by the
//! address they come from. A name that nobody has is therefore blocked just like one that exists, and
//! an attempt counts *before* the password is compared: a hundred guesses at once are no way around.

use std::{net::IpAddr, time::Duration};

use rovuma_envelope::digest;
use rovuma_schemas::{Digest, Timestamp};
use rovuma_store::{Conn, RowExt};

use crate::Login;

/// Guesses at one account that cost no wait: people mistype, and forget which password it was.
const LOGIN_FREE: u64 = 4;
/// The wait after the first guess beyond these; it doubles with each further one.
const LOGIN_FIRST_WAIT: Duration = Duration::from_secs(30);
/// From so many guesses on the account is locked. NIST SP 800-63B-4 §3.2.2 allows at most 100.
const LOGIN_LOCK_AFTER: u64 = 10;
/// For so long; an administrator who resets the password ends it. Not for ever: anybody could lock out
/// anybody by guessing.
const LOGIN_LOCK: Duration = Duration::from_secs(3600);
/// Failures are forgotten after this long without another.
const LOGIN_FORGET: Duration = Duration::from_secs(24 * 3600);

/// Failures from one address that cost no wait. A whole district may sit behind one address.
const ADDRESS_FREE: u64 = 50;
/// The wait from then on, and how long an address must be quiet to start again.
const ADDRESS_WAIT: Duration = Duration::from_secs(900);

/// What attempts are counted by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    kind: Kind,
    key: Digest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Login,
    Address,
}

/// Whether an attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may, and has been counted. If it fails, the target is blocked until then.
    Counted {
        /// Failures in a row, this attempt included.
        failures: u64,
        /// `None`: the next attempt may follow at once.
        blocked_until: Option<Timestamp>,
        /// Attempts that were refused without being looked at since the last that was.
        refused_before: u64,
    },
    /// It may not.
    Blocked {
        /// When the next may be made.
        until: Timestamp,
    },
}

impl Target {
    /// Guesses at one account.
    pub(crate) fn login(login: &Login) -> Self {
        Self { kind: Kind::Login, key: digest(format!("login\0{}", login.as_str()).as_bytes()) }
    }

    /// Guesses from one address; of IPv6 the network of 64 bits that one customer has.
    pub(crate) fn address(address: IpAddr) -> Self {
        let network = match address.to_canonical() {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("{:x?}", &v6.segments()[..4]),
        };
        Self { kind: Kind::Address, key: digest(format!("address\0{network}").as_bytes()) }
    }
}

/// Counts an attempt, unless the target is blocked.
pub(crate) async fn begin(tx: &mut Conn, target: Target, now: Timestamp) -> sqlx::Result<Verdict> {
    let row = sqlx::query("SELECT failures, failed, blocked_until, refused FROM throttle WHERE key = $1")
        .bind(target.key.as_bytes().as_slice())
        .fetch_optional(&mut *tx)
        .await?;
    let (mut failures, mut refused) = (0, 0);
    if let Some(row) = row {
        if let Some(until) = row.opt_instant("blocked_until")?.filter(|until| *until > now) {
            count_refusal(tx, target).await?;
            return Ok(Verdict::Blocked { until });
        }
        refused = row.count("refused")?;
        let forgotten = now.since(row.instant("failed")?) >= target.kind.forget_after();
        failures = if forgotten { 0 } else { row.count("failures")? };
    }
    failures += 1;
    let blocked_until = target.kind.wait_after(failures).map(|wait| now.plus(wait));
    put(tx, target, failures, blocked_until, now).await?;
    Ok(Verdict::Counted { failures, blocked_until, refused_before: refused })
}

/// The attempt was right: failures of the account are forgotten, and one fewer came from the address.
pub(crate) async fn succeed(tx: &mut Conn, target: Target) -> sqlx::Result<()> {
    let sql = match target.kind {
        Kind::Login => "DELETE FROM throttle WHERE key = $1",
        // Not forgotten: whoever has one good password could otherwise guess at others for ever.
        Kind::Address => {
            "UPDATE throttle SET failures = failures - 1, blocked_until = NULL \
             WHERE key = $1 AND failures > 0"
        }
    };
    sqlx::query(sql).bind(target.key.as_bytes().as_slice()).execute(tx).await.map(|_| ())
}

/// Forgets what has been quiet for long.
pub(crate) async fn prune(tx: &mut Conn, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM throttle WHERE failed < $1")
        .bind(now.minus(LOGIN_FORGET).as_micros())
        .execute(tx)
        .await
        .map(|_| ())
}

async fn count_refusal(tx: &mut Conn, target: Target) -> sqlx::Result<()> {
    sqlx::query("UPDATE throttle SET refused = refused + 1 WHERE key = $1")
        .bind(target.key.as_bytes().as_slice())
        .execute(tx)
        .await
        .map(|_| ())
}

async fn put(
    tx: &mut Conn,
    target: Target,
    failures: u64,
    blocked_until: Option<Timestamp>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO throttle (key, failures, failed, blocked_until, refused) VALUES ($1, $2, $3, $4, 0) \
         ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, failed = excluded.failed, \
         blocked_until = excluded.blocked_until, refused = 0",
    )
    .bind(target.key.as_bytes().as_slice())
    .bind(i64::try_from(failures).unwrap_or(i64::MAX))
    .bind(now.as_micros())
    .bind(blocked_until.map(Timestamp::as_micros))
    .execute(tx)
    .await
    .map(|_| ())
}

impl Kind {
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
    use super::*;

    fn address(text: &str) -> Digest {
        Target::address(text.parse().expect("an address")).key
    }

    #[test]
    fn waits_double_and_end_in_a_lock() {
        let waits: Vec<_> =
            (1..=12).map(|failures| Kind::Login.wait_after(failures).map(|wait| wait.as_secs())).collect();
        let none = None;
        assert_eq!(waits[..4], [none; 4]);
        assert_eq!(waits[4..9], [Some(30), Some(60), Some(120), Some(240), Some(480)]);
        assert_eq!(waits[9..], [Some(3600); 3]);
    }

    #[test]
    fn an_address_may_fail_often_before_it_waits() {
        assert_eq!(Kind::Address.wait_after(50), None);
        assert_eq!(Kind::Address.wait_after(51), Some(ADDRESS_WAIT));
    }

    #[test]
    fn one_customers_addresses_are_one() {
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
        assert_ne!(address("10.0.0.1"), address("10.0.0.2"));
    }

    #[test]
    fn a_name_and_an_address_are_never_one() {
        let login = Login::parse("10.0.0.1").expect("a name");
        assert_ne!(Target::login(&login).key, address("10.0.0.1"));
    }
}
