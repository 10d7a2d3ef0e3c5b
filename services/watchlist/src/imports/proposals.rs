//! What waits for a second person.

use rovuma_api::answers::watchlist::{ListFile, ListProposal};
use rovuma_schemas::{MessageId, Timestamp};
use rovuma_store::{Conn, RowExt};
use serde::{Deserialize, Serialize};
use sqlx::{Row, any::AnyRow};

use super::PROPOSAL_LIFE;
use crate::{error::DbError, lists::ListSource};

/// What a proposal does once it is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProposedAct {
    /// Put a file in the place of the list.
    Import,
    /// Take the list out.
    Removal,
}

impl ProposedAct {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Removal => "removal",
        }
    }
}

/// Something that one person proposed.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    /// The name of the list.
    pub(crate) list: String,
    /// Its id, which is also the import whose records are staged.
    pub(crate) id: MessageId,
    pub(crate) act: ProposedAct,
    /// The subject who proposed it.
    pub(crate) proposed_by: String,
    pub(crate) ends: Timestamp,
    pub(crate) facts: ProposalFacts,
}

/// The part of a proposal that is stored as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProposalFacts {
    pub(crate) proposed_at: Timestamp,
    pub(crate) reasons: Vec<String>,
    /// How many records the list in force has.
    pub(crate) records_before: u64,
    /// The form of the new file, and the file.
    pub(crate) new: Option<(String, ListFile)>,
}

impl Proposal {
    /// A file that needs a second person.
    pub(crate) fn import(
        (list, import): (&str, MessageId),
        by: &str,
        now: Timestamp,
        reasons: Vec<String>,
        (records_before, source, file): (u64, ListSource, ListFile),
    ) -> Self {
        let new = Some((source.as_str().to_owned(), file));
        let facts = ProposalFacts { proposed_at: now, reasons, records_before, new };
        Self::new(list, import, ProposedAct::Import, by, facts)
    }

    /// The removal of a list.
    pub(crate) fn removal(list: &str, by: &str, now: Timestamp, records_before: u64) -> Self {
        let reasons = vec![ProposedAct::Removal.as_str().to_owned()];
        let facts = ProposalFacts { proposed_at: now, reasons, records_before, new: None };
        Self::new(list, MessageId::draw(now), ProposedAct::Removal, by, facts)
    }

    fn new(list: &str, id: MessageId, act: ProposedAct, by: &str, facts: ProposalFacts) -> Self {
        let ends = facts.proposed_at.plus(PROPOSAL_LIFE);
        Self { list: list.to_owned(), id, act, proposed_by: by.to_owned(), ends, facts }
    }

    /// The proposal as it is shown.
    pub(crate) fn shown(&self) -> ListProposal {
        ListProposal {
            id: self.id,
            act: self.act.as_str().to_owned(),
            proposed_by: self.proposed_by.clone(),
            proposed_at: self.facts.proposed_at,
            ends: self.ends,
            reasons: self.facts.reasons.clone(),
            records_before: self.facts.records_before,
            file: self.facts.new.as_ref().map(|(_, file)| file.clone()),
        }
    }
}

/// Stores a proposal in the place of an earlier one about the list.
pub(crate) async fn put(tx: &mut Conn, proposal: &Proposal) -> Result<(), DbError> {
    let body = serde_json::to_string(&proposal.facts).map_err(|fault| DbError::damaged("proposal", fault))?;
    sqlx::query(
        "INSERT INTO proposal (list, import, act, proposed_by, ends, body) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (list) DO UPDATE SET import = $2, act = $3, proposed_by = $4, ends = $5, body = $6",
    )
    .bind(proposal.list.as_str())
    .bind(proposal.id.as_bytes().to_vec())
    .bind(proposal.act.as_str())
    .bind(proposal.proposed_by.as_str())
    .bind(proposal.ends.as_micros())
    .bind(body)
    .execute(tx)
    .await?;
    Ok(())
}

/// The proposal about a list that has not lapsed.
pub(crate) async fn find(conn: &mut Conn, list: &str, now: Timestamp) -> Result<Option<Proposal>, DbError> {
    let row = sqlx::query(
        "SELECT list, import, act, proposed_by, ends, body FROM proposal WHERE list = $1 AND ends > $2",
    )
    .bind(list)
    .bind(now.as_micros())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(proposal).transpose()
}

/// Deletes the proposal about a list, which is done or overtaken.
pub(super) async fn forget(tx: &mut Conn, list: &str) -> Result<(), DbError> {
    sqlx::query("DELETE FROM proposal WHERE list = $1").bind(list).execute(tx).await?;
    Ok(())
}

fn proposal(row: &AnyRow) -> Result<Proposal, DbError> {
    let (act, body): (&str, &str) = (row.try_get("act")?, row.try_get("body")?);
    let acts = [ProposedAct::Import, ProposedAct::Removal];
    let act = acts.into_iter().find(|known| known.as_str() == act);
    Ok(Proposal {
        list: row.try_get("list")?,
        id: row.message_id("import")?,
        act: act.ok_or_else(|| DbError::damaged("proposal", "its act is unknown"))?,
        proposed_by: row.try_get("proposed_by")?,
        ends: row.instant("ends")?,
        facts: serde_json::from_str(body).map_err(|fault| DbError::damaged("proposal", fault))?,
    })
}
