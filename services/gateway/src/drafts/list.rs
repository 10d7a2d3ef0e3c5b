//! Lists an agency's drafts, the newest first.

use rovuma_api::page::Window;
use rovuma_policy::{Permit, act};
use rovuma_schemas::MessageType;
use rovuma_store::Conn;

use super::{
    draft::{self, Draft},
    state::DraftState,
};
use crate::error::DbError;

/// A filter for a list of drafts.
#[derive(Clone, Debug)]
pub(crate) struct DraftFilter {
    /// Only those in this state; without it, those that are neither released nor discarded.
    pub(crate) state: Option<DraftState>,
    /// Only those of this type.
    pub(crate) message_type: Option<MessageType>,
    /// Only those of this author.
    pub(crate) author: Option<String>,
}

/// A page of the drafts of the permit's agency without their content, with one row more than the page has, which shows that
/// there is a next page.
pub(crate) async fn page(
    conn: &mut Conn,
    permit: &Permit<act::DraftList>,
    filter: &DraftFilter,
    window: &Window<[u8; 16]>,
) -> Result<Vec<([u8; 16], Draft<()>)>, DbError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        draft::columns!(),
        " FROM draft
         WHERE agency = $1
           AND (state = $2 OR ($2 = '' AND state IN ('draft', 'pending_release', 'returned')))
           AND ($3 = '' OR author = $3) AND ($4 = '' OR message_type = $4)
           AND id < $5
         ORDER BY id DESC LIMIT $6"
    ))
    .bind(permit.resource().owner().as_str())
    .bind(filter.state.map_or("", DraftState::as_str))
    .bind(filter.author.as_deref().unwrap_or(""))
    .bind(filter.message_type.map_or("", MessageType::as_str))
    .bind(window.after.unwrap_or([0xff; 16]).to_vec())
    .bind(window.fetch())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| draft::read(row, ()).map(|draft| (*draft.id.as_bytes(), draft))).collect()
}
