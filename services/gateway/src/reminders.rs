//! Reminds partners by itself of what they have not answered in time: once an hour it is looked up which of our agencies' cases are
//! past their limit, and each gets the one reminder a day that its family allows.

use std::{sync::Arc, time::Duration};

use rovuma_runtime::Shutdown;
use rovuma_schemas::{AgencyCode, Date, Message, MessageType, Timestamp};
use rovuma_store::{Conn, FutureExt, RowExt, WriteError};
use serde_json::json;
use sqlx::Row;
use tracing::{info, warn};

use crate::{
    cases::{
        folded::CaseMessages,
        kept::{self, CaseKey},
    },
    config::RemindersConfig,
    drafts::{
        Drafts,
        by_itself::{NotSent, OwnWord},
        content::Content,
    },
    error::DbError,
    exchange::send::SendError,
    families,
    messages::sent,
};

/// Duty number: only one of the gateways sharing a store reminds.
const REMINDERS_DUTY: u8 = 4;

/// Cases of one agency that one run looks at. A partner that lets more lie is not moved by another message.
const CASES_MAX: i64 = 500;

/// Cases whose limit passed longer ago are left alone: they are dormant, and somebody must look at them.
const PAST_MAX: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// The cases that `$1` opened and whose limit passed between `$3` and `$2`, those that waited longest first.
pub(crate) const OVERDUE: &str = concat!(
    "SELECT owner, case_id, kind, status FROM case_file
     WHERE agency = $1 AND due_at <= $2 AND due_at > $3 AND (owner || '') = $1 AND ",
    families::has_clock!(),
    " AND erased_at IS NULL ORDER BY due_at LIMIT $4"
);

/// Runs until a soft shutdown, whenever this process has the duty.
pub(crate) async fn run(drafts: Arc<Drafts>, settings: RemindersConfig, shutdown: Shutdown) {
    if !settings.by_itself {
        return;
    }
    let store = &drafts.exchange.base.store;
    while !shutdown.is_stopping() {
        let mut duty = tokio::select! {
            duty = store.take_duty(REMINDERS_DUTY) => duty,
            () = shutdown.soft() => return,
        };
        tokio::select! {
            () = work(&drafts, settings.every(), &shutdown) => {}
            () = duty.lost() => warn!("lost the duty of reminding: another gateway has it now"),
        }
    }
}

async fn work(drafts: &Arc<Drafts>, every: Duration, shutdown: &Shutdown) {
    loop {
        match remind_all(drafts).await {
            Ok(0) => {}
            Ok(sent) => info!(sent, "reminded partners of what they have not answered in time"),
            Err(fault) => warn!(%fault, "not every reminder was sent; tried again"),
        }
        if !shutdown.pause(every).await {
            return;
        }
    }
}

/// Sends the reminders that are due for all our agencies. Returns how many were sent.
///
/// # Errors
/// [`WriteError`] when the store does not write.
pub(crate) async fn remind_all(drafts: &Arc<Drafts>) -> Result<u64, WriteError<SendError>> {
    let base = &drafts.exchange.base;
    // A reminder is a release, and nothing is released while it could not be audited.
    if drafts.overdue.check(&base.trail, base.now()).await.is_err() {
        return Ok(0);
    }
    let mut sent = 0;
    for (agency, _) in drafts.exchange.agencies.iter() {
        let overdue = overdue(drafts, agency).await.map_err(|fault| WriteError::Job(fault.into()))?;
        for (key, status) in overdue {
            sent += u64::from(remind(drafts, key, &status).await?);
        }
    }
    Ok(sent)
}

/// The cases of an agency that are past their limit, each with its status.
async fn overdue(drafts: &Drafts, agency: &AgencyCode) -> Result<Vec<(CaseKey, String)>, DbError> {
    let base = &drafts.exchange.base;
    let (mut conn, now) = (base.store.read().acquire().await?, base.now());
    let query = sqlx::query(OVERDUE).bind(agency.as_str()).bind(now.as_micros());
    let query = query.bind(now.minus(PAST_MAX).as_micros()).bind(CASES_MAX);
    let rows = query.fetch_all(&mut *conn).await?;
    let read = |row: &sqlx::any::AnyRow| {
        let key = CaseKey {
            agency: agency.clone(),
            owner: row.parsed("owner")?,
            id: row.message_id("case_id")?,
            kind: row.try_get("kind")?,
        };
        Ok((key, row.try_get("status")?))
    };
    rows.iter().map(read).collect()
}

/// Sends the reminder of one case, if its family wants one now. Returns whether it was sent.
async fn remind(drafts: &Arc<Drafts>, key: CaseKey, status: &str) -> Result<bool, WriteError<SendError>> {
    let base = &drafts.exchange.base;
    let now = base.now();
    let prepared = async {
        let mut conn = base.store.read().acquire().await.map_err(DbError::from)?;
        prepare(&mut conn, drafts, &key, status, now).await
    };
    let Some(content) = prepared.await.map_err(|fault| WriteError::Job(fault.into()))? else {
        return Ok(false);
    };
    let (shared, case) = (Arc::clone(drafts), key.clone());
    let write = base.store.write(move |tx| {
        async move {
            match shared.send_own_word(tx, &case.agency, &content, now).await {
                Ok(_) => Ok(true),
                // Somebody reminded meanwhile, or the answer came.
                Err(NotSent::NotAllowed(_)) => Ok(false),
                Err(NotSent::Send(fault)) => Err(fault),
            }
        }
        .boxed()
    });
    write.await
}

/// The checked reminder of a case, where its family wants one now and the case allows it.
async fn prepare(
    conn: &mut Conn,
    drafts: &Drafts,
    key: &CaseKey,
    status: &str,
    now: Timestamp,
) -> Result<Option<Box<Content>>, DbError> {
    let Ok(family) = key.kind.parse() else { return Ok(None) };
    let rules = families::rules(family);
    let messages = kept::load(conn, std::slice::from_ref(key)).await?.remove(key).unwrap_or_default();
    let mut wanted = None;
    let case = CaseMessages { owner: &key.owner, kept: &messages, state_beside: None };
    rules.fold(&case, &mut |fold| {
        let reminder = rules.reminder(&fold.at(now).state, now);
        let is_allowed = |message_type: &MessageType| {
            rules.possible(fold, &key.agency, now).contains(&message_type.as_str())
        };
        wanted = reminder.filter(is_allowed);
    });
    let Some(message_type) = wanted else { return Ok(None) };
    let signed = sent::signed(conn, &key.agency, &key.id).await?;
    let opener = signed.first().and_then(|one| Message::parse(one.jws.unverified_payload()).ok());
    let Some(terms) = opener.and_then(|opener| opener.terms) else { return Ok(None) };
    let word = OwnWord {
        key,
        status,
        message_type,
        // It says nothing about anybody: it may be kept for as long as what it reminds of, and today at least.
        retain_until: terms.retain_until.max(Date::of(now).plus_days(1)),
        terms: &terms,
        body: json!({}),
    };
    match drafts.check_own_word(word, now) {
        Ok(content) => Ok(Some(content)),
        Err(reason) => {
            warn!(case = %key.case(), agency = %key.agency, %reason, "no reminder was sent");
            Ok(None)
        }
    }
}
