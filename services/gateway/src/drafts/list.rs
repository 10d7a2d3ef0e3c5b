//! Lists an agency's drafts, the newest first.

use rovuma_api::page::Window;
use rovuma_policy::{Permit, act};
use rovuma_schemas::MessageType;
use rovuma_store::Conn;
use sqlx::{SqlSafeStr, SqlStr};

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
    let rows = sqlx::query(statement(filter.state.is_some()))
        .bind(permit.resource().owner().as_str())
        .bind(filter.author.as_deref().unwrap_or(""))
        .bind(filter.message_type.map_or("", MessageType::as_str))
        .bind(window.after.unwrap_or([0xff; 16]).to_vec())
        .bind(window.fetch())
        .bind(filter.state.map_or("", DraftState::as_str))
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| draft::read(row, ()).map(|draft| (*draft.id.as_bytes(), draft))).collect()
}

/// The statement of a page: of the drafts in one state, or of those in work, which have an index of their own.
pub(crate) fn statement(is_by_state: bool) -> SqlStr {
    macro_rules! page {
        ($state:literal) => {
            concat!(
                "SELECT ",
                draft::columns!(),
                " FROM draft
         WHERE agency = $1 AND ($2 = '' OR author = $2) AND ($3 = '' OR message_type = $3) AND id < $4 AND ",
                $state,
                " ORDER BY id DESC LIMIT $5"
            )
            .into_sql_str()
        };
    }
    if is_by_state { page!("state = $6") } else { page!("state IN ('draft', 'pending_release', 'returned')") }
}
