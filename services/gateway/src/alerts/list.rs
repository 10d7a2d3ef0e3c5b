//! The agency's drafts, the newest first.

use rovuma_api::page::Window;
use rovuma_policy::{Permit, act};
use rovuma_store::Conn;

use super::{
    draft::{self, Draft},
    state::DraftState,
};
use crate::error::DbError;

/// Which drafts are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Only those in this state; without it, those that are neither released nor discarded.
    pub(crate) state: Option<DraftState>,
    /// Only those of this author.
    pub(crate) author: Option<String>,
}

/// A page of the drafts of the permit's agency, with one row more than wanted.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn page(
    conn: &mut Conn,
    permit: &Permit<act::AlertListDrafts>,
    wanted: &Wanted,
    window: &Window<[u8; 16]>,
) -> Result<Vec<([u8; 16], Draft)>, DbError> {
    let rows = sqlx::query(
        "SELECT id, agency, author, state, version, category, status, second_person, content,
                created_at, changed_at, submitted_at, decided_by, decided_at, return_reason
         FROM draft
         WHERE agency = $1
           AND (state = $2 OR ($2 = '' AND state IN ('draft', 'pending_release', 'returned')))
           AND ($3 = '' OR author = $3)
           AND id < $4
         ORDER BY id DESC LIMIT $5",
    )
    .bind(permit.resource().owner().as_str())
    .bind(wanted.state.map_or("", DraftState::as_str))
    .bind(wanted.author.as_deref().unwrap_or(""))
    .bind(window.after.unwrap_or([0xff; 16]).to_vec())
    .bind(window.fetch())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| draft::read(row).map(|draft| (*draft.id.as_bytes(), draft))).collect()
}
