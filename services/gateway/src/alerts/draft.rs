//! A draft as the store keeps it, and as the API shows it.

use std::sync::Arc;

use rovuma_api::entity_tag;
use rovuma_policy::Resource;
use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::{Conn, DeferredRows, Insert, RowExt, Store};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::{Row, any::AnyRow};
use utoipa::ToSchema;

use super::{content::Content, state::DraftState};
use crate::{
    error::DbError,
    exchange::event::EventKind,
    gateway::Gateway,
    http::{error::ApiError, openapi::DraftDocument},
};

/// A row of the table `draft`.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The draft's id, which becomes the message's.
    pub(crate) id: MessageId,
    /// Whose it is.
    pub(crate) agency: AgencyCode,
    /// Who wrote it.
    pub(crate) author: String,
    /// Where it stands.
    pub(crate) state: DraftState,
    /// Counts changes, from 1.
    pub(crate) version: i64,
    /// The alert's category.
    pub(crate) category: String,
    /// In earnest, exercise or test.
    pub(crate) status: String,
    /// Why a second person must release it; absent when one person may.
    pub(crate) second_person: Option<String>,
    /// The draft as posted: it was valid when it was written.
    pub(crate) content: Vec<u8>,
    /// When it was created.
    pub(crate) created_at: Timestamp,
    /// When its content or state last changed.
    pub(crate) changed_at: Timestamp,
    /// When it was last handed to a supervisor.
    pub(crate) submitted_at: Option<Timestamp>,
    /// Who released, returned or discarded it.
    pub(crate) decided_by: Option<String>,
    /// When.
    pub(crate) decided_at: Option<Timestamp>,
    /// Why it was returned, in words.
    pub(crate) return_reason: Option<String>,
}

/// The draft with this id, of whatever agency: the caller compares.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn load<'e>(
    executor: impl sqlx::Executor<'e, Database = sqlx::Any>,
    id: &MessageId,
) -> Result<Option<Draft>, DbError> {
    let row = sqlx::query(
        "SELECT id, agency, author, state, version, category, status, second_person, content,
                created_at, changed_at, submitted_at, decided_by, decided_at, return_reason
         FROM draft WHERE id = $1",
    )
    .bind(id.as_bytes().to_vec())
    .fetch_optional(executor)
    .await?;
    row.as_ref().map(read).transpose()
}

pub(super) fn read(row: &AnyRow) -> Result<Draft, DbError> {
    let state: String = row.try_get("state")?;
    Ok(Draft {
        id: row.message_id("id")?,
        agency: row.parsed("agency")?,
        author: row.try_get("author")?,
        state: DraftState::from_word(&state).ok_or_else(|| DbError::damaged("draft", "an unknown state"))?,
        version: row.try_get("version")?,
        category: row.try_get("category")?,
        status: row.try_get("status")?,
        second_person: row.try_get("second_person")?,
        content: row.try_get("content")?,
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
        Resource::draft(&self.id.to_string(), &self.agency, &self.author)
    }

    /// The sender's case reference, as its content has it.
    pub(super) fn case_reference(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Part {
            case_reference: Option<String>,
        }
        serde_json::from_slice::<Part>(&self.content).ok()?.case_reference
    }

    /// The same draft with other content, one version on.
    #[must_use]
    pub(super) fn with_content(mut self, content: Content) -> Self {
        self.category = content.category().to_owned();
        self.status = content.status().to_owned();
        self.second_person = content.second_person().map(str::to_owned);
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

    /// Writes the draft over its former version and tells those who follow.
    ///
    /// # Errors
    /// 412 when the former version is not the present one any more; the store's failure.
    pub(super) async fn save(&self, tx: &mut Conn, gateway: &Gateway) -> Result<(), ApiError> {
        let query = sqlx::query(
            "UPDATE draft SET state = $1, version = $2, category = $3, status = $4, second_person = $5,
                 content = $6, changed_at = $7, submitted_at = $8, decided_by = $9, decided_at = $10,
                 return_reason = $11
             WHERE id = $12 AND version = $13",
        )
        .bind(self.state.as_str())
        .bind(self.version)
        .bind(&self.category)
        .bind(&self.status)
        .bind(self.second_person.as_deref())
        .bind(self.content.clone())
        .bind(self.changed_at.as_micros())
        .bind(self.submitted_at.map(Timestamp::as_micros))
        .bind(self.decided_by.as_deref())
        .bind(self.decided_at.map(Timestamp::as_micros))
        .bind(self.return_reason.as_deref())
        .bind(self.id.as_bytes().to_vec())
        .bind(self.version - 1);
        if query.execute(&mut *tx).await.map_err(DbError::from)?.rows_affected() == 0 {
            let present = load(tx, &self.id).await?.map_or(0, |draft| draft.version);
            return Err(entity_tag::changed("The draft", present, self.version - 1).into());
        }
        self.tell(tx, gateway);
        Ok(())
    }

    /// Keeps a draft that was not there.
    pub(super) fn insert(&self, tx: &mut Conn, gateway: &Gateway) {
        gateway.drafts.0.push(tx, self.clone());
        self.tell(tx, gateway);
    }

    fn tell(&self, tx: &mut Conn, gateway: &Gateway) {
        let kind = EventKind::DraftChanged;
        gateway.events.record(tx, &self.agency, kind, Some(&self.id), self.version, self.changed_at);
    }
}

/// New drafts.
#[derive(Debug)]
pub(crate) struct NewDrafts(Arc<DeferredRows<Draft>>);

const NEW: Insert = Insert {
    into: "INSERT INTO draft (id, agency, author, state, version, category, status, second_person, content,
                              created_at, changed_at)",
    columns: 11,
    then: "",
};

impl NewDrafts {
    /// Those of `store`.
    pub(crate) fn of(store: &Store) -> Self {
        Self(DeferredRows::new(store, NEW, |query, draft: &Draft| {
            query
                .bind(draft.id.as_bytes().as_slice())
                .bind(draft.agency.as_str())
                .bind(draft.author.as_str())
                .bind(draft.state.as_str())
                .bind(draft.version)
                .bind(draft.category.as_str())
                .bind(draft.status.as_str())
                .bind(draft.second_person.as_deref())
                .bind(draft.content.as_slice())
                .bind(draft.created_at.as_micros())
                .bind(draft.changed_at.as_micros())
        }))
    }
}

/// A draft as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Draft)]
pub(crate) struct DraftView {
    /// The draft's id, which becomes the message's.
    #[schema(value_type = String, format = "uuid")]
    id: MessageId,
    /// Where it stands.
    state: DraftState,
    /// Counts changes, from 1; the `ETag`.
    version: i64,
    /// Who wrote it.
    author: String,
    /// The alert's category.
    category: String,
    /// `actual`, `exercise` or `test`.
    status: String,
    /// Why a second person must release it (`person`, `minor`, `handling`); absent when one person may.
    #[serde(skip_serializing_if = "Option::is_none")]
    second_person: Option<String>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// When it was last handed to a supervisor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    submitted_at: Option<Timestamp>,
    /// Who released, returned or discarded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    /// Why it was returned, in the supervisor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    return_reason: Option<String>,
    /// The draft as posted. Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DraftDocument>)]
    content: Option<Box<RawValue>>,
}

impl DraftView {
    /// The draft without its content, for lists.
    pub(crate) fn row(draft: Draft) -> Self {
        Self {
            id: draft.id,
            state: draft.state,
            version: draft.version,
            author: draft.author,
            category: draft.category,
            status: draft.status,
            second_person: draft.second_person,
            created_at: draft.created_at,
            changed_at: draft.changed_at,
            submitted_at: draft.submitted_at,
            decided_by: draft.decided_by,
            decided_at: draft.decided_at,
            return_reason: draft.return_reason,
            content: None,
        }
    }

    /// The draft with its content.
    ///
    /// # Errors
    /// [`DbError::Damaged`] when the stored content is not JSON.
    pub(crate) fn whole(draft: Draft) -> Result<Self, DbError> {
        let text = std::str::from_utf8(&draft.content).map_err(|fault| DbError::damaged("draft", fault))?;
        let content =
            RawValue::from_string(text.to_owned()).map_err(|fault| DbError::damaged("draft", fault))?;
        Ok(Self { content: Some(content), ..Self::row(draft) })
    }
}
