//! The gateway reminds partners by itself of what they have not answered in time. Once an hour it looks up which of our agencies' cases
//! are past their limit, and sends each the one reminder a day that its family allows.

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
        by_itself::{AutomaticMessage, NotSent},
        content::Content,
    },
    error::DbError,
    exchange::send::SendError,
    families,
    messages::sent,
};

/// Duty number: only one of the gateways sharing a store reminds.
const REMINDERS_DUTY: u8 = 4;

/// Cases of one agency that are looked up at once.
const PAGE_MAX: usize = 500;

/// Cases whose limit passed longer ago are left alone: they are dormant, and somebody must look at them.
const PAST_MAX: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// The cases that `$1` opened and whose limit passed after `$3` and until `$2`, those that waited longest first; of those whose limit
/// passed at `$3` the ones after the case `$5`.
pub(crate) const OVERDUE: &str = concat!(
    "SELECT owner, case_id, kind, status, due_at FROM case_file
     WHERE agency = $1 AND due_at <= $2 AND due_at >= $3 AND (due_at > $3 OR case_id > $5) AND (owner || '') = $1
       AND ",
    families::has_reminder!(),
    " AND erased_at IS NULL ORDER BY due_at, case_id LIMIT $4"
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
        let mut after = (base.now().minus(PAST_MAX), Vec::new());
        loop {
            let page =
                overdue(drafts, agency, &after).await.map_err(|fault| WriteError::Job(fault.into()))?;
            let Some(last) = page.last() else { break };
            after = (last.due, last.key.id.as_bytes().to_vec());
            let is_last = page.len() < PAGE_MAX;
            for case in page {
                sent += u64::from(remind(drafts, case.key, &case.status).await?);
            }
            if is_last {
                break;
            }
        }
    }
    Ok(sent)
}

/// A case that is past its limit.
struct Overdue {
    key: CaseKey,
    status: String,
    due: Timestamp,
}

/// The next cases of an agency that are past their limit, after a limit and the case's id.
async fn overdue(
    drafts: &Drafts,
    agency: &AgencyCode,
    (due, id): &(Timestamp, Vec<u8>),
) -> Result<Vec<Overdue>, DbError> {
    let base = &drafts.exchange.base;
    let (mut conn, now) = (base.store.read().acquire().await?, base.now());
    let query = sqlx::query(OVERDUE).bind(agency.as_str()).bind(now.as_micros());
    let query = query.bind(due.as_micros()).bind(i64::try_from(PAGE_MAX).unwrap_or(i64::MAX));
    let query = query.bind(id.clone());
    let rows = query.fetch_all(&mut *conn).await?;
    let read = |row: &sqlx::any::AnyRow| {
        let key = CaseKey::read(agency.clone(), row)?;
        Ok(Overdue { key, status: row.try_get("status")?, due: row.instant("due_at")? })
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
            match shared.send_automatic(tx, &case.agency, &content, now).await {
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
    // What is about to be erased is not kept longer for being asked for again.
    if terms.retain_until <= Date::of(now) {
        return Ok(None);
    }
    let word = AutomaticMessage {
        key,
        status,
        message_type,
        retain_until: terms.retain_until,
        terms: &terms,
        body: json!({}),
    };
    match drafts.check_automatic(word, now) {
        Ok(content) => Ok(Some(content)),
        Err(reason) => {
            warn!(case = %key.case(), agency = %key.agency, %reason, "no reminder was sent");
            Ok(None)
        }
    }
}
