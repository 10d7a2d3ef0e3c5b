//! How fresh our knowledge of a case is, from the signed streams: when a party last said anything, and since when something of
//! it has been missing.

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, RowExt};

use crate::error::DbError;

/// What is known of a party's streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Freshness {
    /// The party.
    pub(crate) partner: AgencyCode,
    /// When it last said, by its own clock, which numbers it had given out; none before the first time.
    pub(crate) last_word_at: Option<Timestamp>,
    /// Since when a number of it has been missing here; none if everything until its last word is here.
    pub(crate) missing_since: Option<Timestamp>,
}

/// The freshness of what `agency` knows from each of these parties.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn of(
    conn: &mut Conn,
    agency: &AgencyCode,
    partners: &[AgencyCode],
) -> Result<Vec<Freshness>, DbError> {
    let mut all = Vec::with_capacity(partners.len());
    for partner in partners {
        let word = sqlx::query(
            "SELECT created_at FROM stream_word WHERE own = $1 AND partner = $2 AND kind = 'stream.status'",
        )
        .bind(agency.as_str())
        .bind(partner.as_str())
        .fetch_optional(&mut *conn)
        .await?;
        let gap =
            sqlx::query("SELECT MIN(gap_since) AS since FROM stream_in WHERE recipient = $1 AND sender = $2")
                .bind(agency.as_str())
                .bind(partner.as_str())
                .fetch_one(&mut *conn)
                .await?;
        all.push(Freshness {
            partner: partner.clone(),
            last_word_at: word.map(|row| row.instant("created_at")).transpose()?,
            missing_since: gap.opt_instant("since")?,
        });
    }
    Ok(all)
}
