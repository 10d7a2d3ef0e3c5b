//! The table `draft`.

use std::sync::Arc;

use rovuma_policy::Resource;
use rovuma_schemas::{AgencyCode, MessageId, MessageType, Status, Timestamp};
use rovuma_store::{Conn, DeferredRows, Insert, RowExt, Store};
use sqlx::{Row, any::AnyRow};

use super::{Refusal, content::Content, reads, state::DraftState};
use crate::{base::Base, error::DbError, events::EventKind};

/// A row of the table `draft`, with its content, or without it as `Draft<()>`.
#[derive(Clone, Debug)]
pub(crate) struct Draft<C = Vec<u8>> {
    /// The draft's id, which becomes the message's.
    pub(crate) id: MessageId,
    /// The agency that owns it.
    pub(crate) agency: AgencyCode,
    /// The subject of the person or machine that wrote it.
    pub(crate) author: String,
    /// Its state.
    pub(crate) state: DraftState,
    /// Counts changes, from 1.
    pub(crate) version: i64,
    /// The type of the message that it becomes.
    pub(crate) message_type: MessageType,
    /// The code by which the family's messages are listed, such as the category of an alert; absent while it cannot be read.
    pub(crate) facet: Option<String>,
    /// In earnest, exercise or test; absent while the draft does not say.
    pub(crate) status: Option<Status>,
    /// The sender's own file number.
    pub(crate) reference: Option<String>,
    /// The reason why a second person must release it; absent when one person may.
    pub(crate) second_person: Option<String>,
    /// The number of faults when the content was last changed.
    pub(crate) faults: u64,
    /// The draft as posted, with what is certain put right; empty once it is discarded.
    pub(crate) content: C,
    /// The instant of its creation.
    pub(crate) created_at: Timestamp,
    /// The instant of the last change of content or state.
    pub(crate) changed_at: Timestamp,
    /// The instant at which it was last handed to a supervisor.
    pub(crate) submitted_at: Option<Timestamp>,
    /// The subject who released, returned or discarded it.
    pub(crate) decided_by: Option<String>,
    /// The instant at which it was released, returned or discarded.
    pub(crate) decided_at: Option<Timestamp>,
    /// The reason for which it was returned: a sentence of the second person.
    pub(crate) return_reason: Option<String>,
}

/// The columns of the table `draft` except its content.
macro_rules! columns {
    () => {
        "id, agency, author, state, version, message_type, facet, status, reference, second_person, faults,
         created_at, changed_at, submitted_at, decided_by, decided_at, return_reason"
    };
}

pub(super) use columns;

/// The draft with this id, of any agency: the caller must compare the agency.
pub(crate) async fn load<'e>(
    executor: impl sqlx::Executor<'e, Database = sqlx::Any>,
    id: &MessageId,
) -> Result<Option<Draft>, DbError> {
    let row = sqlx::query(concat!("SELECT ", columns!(), ", content FROM draft WHERE id = $1"))
        .bind(id.as_bytes().to_vec())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(|row| read(row, row.try_get("content")?)).transpose()
}

/// The agency that owns the draft with this id.
pub(crate) async fn owner<'e>(
    executor: impl sqlx::Executor<'e, Database = sqlx::Any>,
    id: &MessageId,
) -> Result<Option<AgencyCode>, DbError> {
    let query = sqlx::query("SELECT agency FROM draft WHERE id = $1").bind(id.as_bytes().to_vec());
    let row = query.fetch_optional(executor).await?;
    Ok(row.map(|row| row.parsed("agency")).transpose()?)
}

/// A draft from its row, with this content.
pub(super) fn read<C>(row: &AnyRow, content: C) -> Result<Draft<C>, DbError> {
    let state: String = row.try_get("state")?;
    let status: Option<String> = row.try_get("status")?;
    Ok(Draft {
        id: row.message_id("id")?,
        agency: row.parsed("agency")?,
        author: row.try_get("author")?,
        state: DraftState::from_word(&state).ok_or_else(|| DbError::damaged("draft", "an unknown state"))?,
        version: row.try_get("version")?,
        message_type: row.parsed("message_type")?,
        facet: row.try_get("facet")?,
        status: status.map(|word| word.parse()).transpose()?,
        reference: row.try_get("reference")?,
        second_person: row.try_get("second_person")?,
        faults: row.count("faults")?,
        content,
        created_at: row.instant("created_at")?,
        changed_at: row.instant("changed_at")?,
        submitted_at: row.opt_instant("submitted_at")?,
        decided_by: row.try_get("decided_by")?,
        decided_at: row.opt_instant("decided_at")?,
        return_reason: row.try_get("return_reason")?,
    })
}

impl Draft {
    /// The draft as the policy sees it.
    pub(crate) fn resource(&self) -> Resource {
        Resource::draft(&self.id.to_string(), &self.agency, &self.author, self.message_type)
    }

    /// The same draft with other content.
    #[must_use]
    pub(super) fn with_content(mut self, content: Content) -> Self {
        let checked = content.checked();
        self.message_type = checked.message_type();
        self.facet = checked.facet();
        self.status = checked.status();
        self.reference = checked.reference().map(|reference| reference.to_string());
        self.second_person = content.second_person().map(str::to_owned);
        self.faults = checked.fault_count();
        self.content = content.into_bytes();
        self
    }

    /// The same draft in another state, one version on.
    #[must_use]
    pub(super) fn moved(mut self, state: DraftState, now: Timestamp) -> Self {
        self.state = state;
        self.version += 1;
        self.changed_at = now;
        self
    }

    /// The same draft, with who released, returned or discarded it, and when.
    #[must_use]
    pub(super) fn decided(mut self, subject: &str, now: Timestamp) -> Self {
        self.decided_by = Some(subject.to_owned());
        self.decided_at = Some(now);
        self
    }

    /// Updates the draft's row from its former version and records the domain event. Fails when the row is at another
    /// version.
    pub(super) async fn save(&self, tx: &mut Conn, base: &Base) -> Result<(), Refusal> {
        let query = sqlx::query(
            "UPDATE draft SET state = $1, version = $2, message_type = $3, facet = $4, status = $5, reference = $6,
                 second_person = $7, faults = $8, content = $9, changed_at = $10, submitted_at = $11,
                 decided_by = $12, decided_at = $13, return_reason = $14
             WHERE id = $15 AND version = $16",
        )
        .bind(self.state.as_str())
        .bind(self.version)
        .bind(self.message_type.as_str())
        .bind(self.facet.as_deref())
        .bind(self.status.map(Status::as_str))
        .bind(self.reference.as_deref())
        .bind(self.second_person.as_deref())
        .bind(self.faults_column())
        .bind(self.content.clone())
        .bind(self.changed_at.as_micros())
        .bind(self.submitted_at.map(Timestamp::as_micros))
        .bind(self.decided_by.as_deref())
        .bind(self.decided_at.map(Timestamp::as_micros))
        .bind(self.return_reason.as_deref())
        .bind(self.id.as_bytes().to_vec())
        .bind(self.version - 1);
        if query.execute(&mut *tx).await?.rows_affected() == 0 {
            let present = load(tx, &self.id).await?.map_or(0, |draft| draft.version);
            return Err(Refusal::Version { present, seen: self.version - 1 });
        }
        // Nobody but the author has read a draft that was never submitted.
        if self.submitted_at.is_some() {
            reads::forget_reads(tx, &self.id).await?;
        }
        self.record_event(tx, base);
        Ok(())
    }

    /// Inserts a new draft at the end of the transaction and records the domain event.
    pub(super) fn insert(&self, tx: &mut Conn, base: &Base, new: &NewDrafts) {
        new.0.push(tx, self.clone());
        self.record_event(tx, base);
    }

    fn record_event(&self, tx: &mut Conn, base: &Base) {
        let kind = EventKind::DraftChanged;
        base.events.record(tx, &self.agency, kind, Some(&self.id), self.version, self.changed_at);
    }

    fn faults_column(&self) -> i64 {
        i64::try_from(self.faults).unwrap_or(i64::MAX)
    }
}

/// Inserts the new drafts of a transaction together at its end.
#[derive(Debug)]
pub(crate) struct NewDrafts(Arc<DeferredRows<Draft>>);

const NEW: Insert = Insert {
    into: "INSERT INTO draft (id, agency, author, state, version, message_type, facet, status, reference,
                              second_person, faults, content, created_at, changed_at)",
    columns: 14,
    then: "",
};

impl NewDrafts {
    /// The new drafts of `store`.
    pub(crate) fn of(store: &Store) -> Self {
        Self(DeferredRows::new(store, NEW, |query, draft: &Draft| {
            query
                .bind(draft.id.as_bytes().as_slice())
                .bind(draft.agency.as_str())
                .bind(draft.author.as_str())
                .bind(draft.state.as_str())
                .bind(draft.version)
                .bind(draft.message_type.as_str())
                .bind(draft.facet.as_deref())
                .bind(draft.status.map(Status::as_str))
                .bind(draft.reference.as_deref())
                .bind(draft.second_person.as_deref())
                .bind(draft.faults_column())
                .bind(draft.content.as_slice())
                .bind(draft.created_at.as_micros())
                .bind(draft.changed_at.as_micros())
        }))
    }
}
