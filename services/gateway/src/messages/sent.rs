//! A message that one of our agencies has sent: one row per country that it was signed for.

use rovuma_envelope::Jws;
use rovuma_schemas::{AgencyCode, CountryCode, Digest, Lane, MessageId, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use super::received::compact;
use crate::{cases::CasePlace, error::DbError};

/// The columns of the table `sent` that are the same for every country.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// The message.
    pub(crate) id: MessageId,
    /// The agency that sent the message.
    pub(crate) agency: AgencyCode,
    /// The message's type.
    pub(crate) message_type: String,
    /// The code by which the family's messages are listed: the category of an alert.
    pub(crate) facet: Option<String>,
    /// In earnest, exercise or test.
    pub(crate) status: String,
    /// The lane it travels in.
    pub(crate) lane: Lane,
    /// The instant of the release.
    pub(crate) created_at: Timestamp,
    /// The transport expiry.
    pub(crate) expires_at: Option<Timestamp>,
    /// The subject who released the message.
    pub(crate) released_by: String,
    /// The message that it replaces, when it was issued again.
    pub(crate) replaces: Option<MessageId>,
    /// The message that was issued in its place, the last one should there be several.
    pub(crate) replaced_by: Option<MessageId>,
    /// The message's place in its case.
    pub(crate) place: CasePlace,
    /// The instant at which its content was erased at the end of its case's retention.
    pub(crate) erased_at: Option<Timestamp>,
}

/// The signature for one country.
#[derive(Clone, Debug)]
pub(crate) struct SignedFor {
    /// The country.
    pub(crate) country: CountryCode,
    /// SHA-256 of the compact JWS.
    pub(crate) digest: Digest,
    /// Exactly what was signed.
    pub(crate) jws: Jws,
}

/// The columns that [`read`] takes from the table `sent`.
macro_rules! columns {
    () => {
        concat!(
            $crate::cases::columns!(),
            ", id, agency, message_type, facet, status, lane, created_at, expires_at, released_by, replaces, erased_at,
         (SELECT n.id FROM sent n WHERE n.agency = sent.agency AND n.replaces = sent.id
          ORDER BY n.created_at DESC LIMIT 1) AS replaced_by"
        )
    };
}
pub(super) use columns;

/// The statement of [`load`].
pub(crate) const LOAD: &str =
    concat!("SELECT ", columns!(), " FROM sent WHERE agency = $1 AND id = $2 LIMIT 1");

/// The statement of [`signed`].
pub(crate) const SIGNED: &str =
    "SELECT country, digest, jws FROM sent WHERE agency = $1 AND id = $2 ORDER BY country";

/// The message that `agency` sent.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn load(
    conn: &mut Conn,
    agency: &AgencyCode,
    id: &MessageId,
) -> Result<Option<Sent>, DbError> {
    let row =
        sqlx::query(LOAD).bind(agency.as_str()).bind(id.as_bytes().to_vec()).fetch_optional(conn).await?;
    row.as_ref().map(read).transpose()
}

/// The signature for each country.
///
/// # Errors
/// [`DbError`] when the store does not answer, or what it holds is damaged.
pub(crate) async fn signed(
    conn: &mut Conn,
    agency: &AgencyCode,
    id: &MessageId,
) -> Result<Vec<SignedFor>, DbError> {
    let rows = sqlx::query(SIGNED).bind(agency.as_str()).bind(id.as_bytes().to_vec()).fetch_all(conn).await?;
    rows.iter()
        .map(|row| {
            let jws = compact(row.try_get("jws")?)?;
            Ok(SignedFor { country: row.parsed("country")?, digest: row.digest("digest")?, jws })
        })
        .collect()
}

pub(super) fn read(row: &AnyRow) -> Result<Sent, DbError> {
    Ok(Sent {
        id: row.message_id("id")?,
        agency: row.parsed("agency")?,
        message_type: row.try_get("message_type")?,
        facet: row.try_get("facet")?,
        status: row.try_get("status")?,
        lane: row.parsed("lane")?,
        created_at: row.instant("created_at")?,
        expires_at: row.opt_instant("expires_at")?,
        released_by: row.try_get("released_by")?,
        replaces: row.opt_message_id("replaces")?,
        replaced_by: row.opt_message_id("replaced_by")?,
        place: CasePlace::read(row)?,
        erased_at: row.opt_instant("erased_at")?,
    })
}
