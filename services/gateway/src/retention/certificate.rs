//! The certificate of erasure that a recipient's gateway sends to the agency that opened the case, by itself.

use rovuma_schemas::{Date, Message, MessageId, MessageType, Sender, Terms, Timestamp};
use rovuma_store::Conn;
use serde_json::json;
use sqlx::Row;

use super::due::DueCase;
use crate::{
    cases::follow::{self, Following, NotFollowing},
    drafts::{Drafts, Refusal, content::Content},
    error::DbError,
    exchange::{
        SYSTEM,
        send::{self, Release, SendError},
        stored_jws,
    },
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

/// Makes the certificate of a case that is about to be erased, from the terms of its last message, outside the transaction: checking a
/// draft takes time.
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
    let draft = json!({
        "type": MessageType::PurgeCertify,
        "status": case.status,
        "case": key.case(),
        "terms": {
            "urgency": { "level": "normal" },
            "purpose": terms.purpose,
            "legal_basis": terms.legal_basis,
            "handling": { "code": "H0" },
            "evaluation": { "source": "X", "information": "4" },
            "language": terms.language,
            "retain_until": Date::of(now).plus_days(KEPT_DAYS),
        },
        "body": { "outcome": "erased" },
    });
    let checked = drafts
        .check_right_to_send(&key.agency, MessageType::PurgeCertify, now)
        .and_then(|()| drafts.check(&key.agency, draft.to_string().as_bytes(), now))
        .and_then(|content| content.valid().map(drop).map(|()| content));
    Ok(match checked {
        Ok(content) => Certificate::Ready(Box::new(content)),
        Err(refusal) => Certificate::Impossible(reason(&refusal)),
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

/// Sends the certificate, in the transaction that erases the case.
///
/// # Errors
/// [`CertifyFault::NotAllowed`] when the case does not take it; else the transaction must be rolled back.
pub(super) async fn send(
    tx: &mut Conn,
    drafts: &Drafts,
    case: &DueCase,
    content: &Content,
    now: Timestamp,
) -> Result<MessageId, CertifyFault> {
    let valid = content.valid().map_err(|refusal| CertifyFault::NotAllowed(reason(&refusal)))?;
    let (id, agency) = (MessageId::draw(now), &case.key.agency);
    let following = follow::follow(tx, agency, valid, id, now).await?;
    let following = following.ok_or_else(|| CertifyFault::NotAllowed("it names no case".to_owned()))?;
    let Following { place, recipients, earlier, .. } = following;
    let request = Release {
        id,
        draft: &valid.clone().addressed_to(recipients),
        following: Some(place),
        earlier,
        // No officer says this: the gateway does, by itself.
        sender: Sender { agency: agency.clone(), unit: None, officer: None },
        released_by: SYSTEM,
        session: None,
        details: Vec::new(),
        now,
    };
    send::release(tx, &drafts.exchange, request).await?;
    Ok(id)
}

/// Why a certificate was not sent.
#[derive(Debug)]
pub(super) enum CertifyFault {
    /// The case does not take it.
    NotAllowed(String),
    /// The store failed, or signing did.
    Send(SendError),
}

impl From<SendError> for CertifyFault {
    fn from(fault: SendError) -> Self {
        Self::Send(fault)
    }
}

impl From<NotFollowing> for CertifyFault {
    fn from(fault: NotFollowing) -> Self {
        match fault {
            NotFollowing::Db(fault) => Self::Send(SendError::Db(fault)),
            refused => Self::NotAllowed(refused.to_string()),
        }
    }
}

/// The refusal as a sentence for an operator, without content.
fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Faulty(content) => {
            let faults = content.checked().faults(rovuma_schemas::Locale::En);
            let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            format!("by today's rules it has faults at {}", places.join(", "))
        }
        other => other.to_string(),
    }
}
