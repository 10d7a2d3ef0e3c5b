//! The certificate of erasure that a recipient's gateway sends to the agency that opened the case, by itself.

use rovuma_schemas::{Date, Message, MessageType, Terms, Timestamp};
use rovuma_store::Conn;
use serde_json::json;
use sqlx::Row;

use super::due::DueCase;
use crate::{
    drafts::{Drafts, by_itself::AutomaticMessage, content::Content},
    error::DbError,
    exchange::stored_jws,
};

/// Days for which the agency that gets the certificate may keep it: it names nobody, and proves that the data are gone.
const KEPT_DAYS: i32 = 10 * 365;

/// What is to be certified about a case.
pub(super) enum Certificate {
    /// Nothing: the agency opened the case itself.
    NotOwed,
    /// The erasure.
    Ready(Box<Content>),
    /// The erasure, and that is not possible: the reason.
    Impossible(String),
}

/// The latest messages of the agency that opened the case. The index has their order.
pub(crate) const LATEST: &str = "
    SELECT jws FROM received
    WHERE recipient = $1 AND sender = $2 AND case_id = $3 AND case_owner = $2 AND case_kind = $4 AND jws IS NOT NULL
      AND disposition = 'operative'
    ORDER BY turn DESC LIMIT 8";

/// Makes the certificate of a case that is about to be erased, from the terms of its last message.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(super) async fn prepare(
    conn: &mut Conn,
    drafts: &Drafts,
    case: &DueCase,
    now: Timestamp,
) -> Result<Certificate, DbError> {
    let key = &case.key;
    if key.agency == key.owner {
        return Ok(Certificate::NotOwed);
    }
    let Some(terms) = latest_terms(conn, case).await? else {
        return Ok(Certificate::Impossible("no message of the case states its terms".to_owned()));
    };
    let word = AutomaticMessage {
        key,
        status: &case.status,
        message_type: MessageType::PurgeCertify,
        terms: &terms,
        retain_until: Date::of(now).plus_days(KEPT_DAYS),
        body: json!({ "outcome": "erased" }),
    };
    Ok(match drafts.check_automatic(word, now) {
        Ok(content) => Certificate::Ready(content),
        Err(reason) => Certificate::Impossible(reason),
    })
}

async fn latest_terms(conn: &mut Conn, case: &DueCase) -> Result<Option<Terms>, DbError> {
    let key = &case.key;
    let rows = sqlx::query(LATEST)
        .bind(key.agency.as_str())
        .bind(key.owner.as_str())
        .bind(key.id.as_bytes().to_vec())
        .bind(key.kind.as_str())
        .fetch_all(conn)
        .await?;
    for row in &rows {
        let jws = stored_jws(&row.try_get::<Vec<u8>, _>("jws")?)?;
        // A message of a newer type need not be readable here: the one before it will do.
        let message = Message::parse(jws.unverified_payload()).ok();
        if let Some(terms) = message.and_then(|message| message.terms) {
            return Ok(Some(terms));
        }
    }
    Ok(None)
}
