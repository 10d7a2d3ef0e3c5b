//! `Idempotency-Key`: a request that is sent again is answered again, not done again.
//!
//! The answer is kept in the transaction that does the thing. Same key and same request: the kept
//! answer. Same key and another request: refused. A request that was refused did nothing, so it is not
//! kept and may be tried again under its key.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use futures::future::BoxFuture;
use rovuma_envelope::digest;
use rovuma_runtime::{Problem, Shutdown};
use rovuma_schemas::{AgencyCode, Digest, Timestamp};
use rovuma_store::{Conn, FutureExt, Store};
use serde::Serialize;
use sqlx::Row;

use super::{caller::Caller, error::ApiError};
use crate::{error::DbError, gateway::Gateway};

/// How long answers are kept: longer than any client goes on trying.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How often those past it are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// Characters of a key: a UUID has 36.
const KEY_MAX: usize = 128;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key and the request it stands for, as far as its head tells: method, path and key.
#[derive(Clone, Debug)]
pub(crate) struct IdempotencyKey {
    key: Option<String>,
    head: String,
}

/// One request under a key, by one caller.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    agency: AgencyCode,
    subject: String,
    key: String,
    request: Digest,
}

/// An answer that can be kept and given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Vec<u8>,
    etag: Option<String>,
    location: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let key = parts.headers.get(&IDEMPOTENCY_KEY).map(read_key).transpose()?;
        Ok(Self { key, head: format!("{} {}", parts.method, parts.uri) })
    }
}

fn read_key(value: &HeaderValue) -> Result<String, ApiError> {
    let text = value.to_str().unwrap_or_default();
    let fits = (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| text.to_owned()).ok_or_else(|| {
        let problem = Problem::bad_request("idempotency_key");
        problem.detail("Idempotency-Key takes 1 to 128 visible ASCII characters, such as a UUID.").into()
    })
}

impl IdempotencyKey {
    /// The attempt of `caller` with this body, when the request has a key.
    pub(crate) fn attempt(self, caller: &Caller, body: &[u8]) -> Option<Attempt> {
        let key = self.key?;
        let mut whole = self.head.into_bytes();
        whole.push(b'\n');
        whole.extend_from_slice(body);
        Some(Attempt {
            agency: caller.agency().clone(),
            subject: caller.subject().to_owned(),
            key,
            request: digest(&whole),
        })
    }
}

impl Attempt {
    /// The answer kept for this attempt, if there is one.
    ///
    /// # Errors
    /// 422 `idempotency_conflict` when the key was used for another request.
    pub(crate) async fn kept(&self, conn: &mut Conn, now: Timestamp) -> Result<Option<Answer>, ApiError> {
        let row = sqlx::query(
            "SELECT request_digest, status, body, etag, location FROM idempotency
             WHERE agency = $1 AND subject = $2 AND key = $3 AND created_at > $4",
        )
        .bind(self.agency.as_str())
        .bind(&self.subject)
        .bind(&self.key)
        .bind(now.minus(KEPT).as_micros())
        .fetch_optional(conn)
        .await?;
        let Some(row) = row else { return Ok(None) };
        if row.try_get::<Vec<u8>, _>("request_digest")? != self.request.as_bytes() {
            return Err(conflict().into());
        }
        let status = row.try_get::<i64, _>("status")?;
        let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        Ok(Some(Answer {
            status: status.ok_or_else(|| DbError::damaged("answer", "no HTTP status"))?,
            body: row.try_get("body")?,
            etag: row.try_get("etag")?,
            location: row.try_get("location")?,
        }))
    }

    /// Keeps the answer, in the transaction that does the thing.
    async fn keep(&self, tx: &mut Conn, answer: &Answer, now: Timestamp) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO idempotency
                 (agency, subject, key, request_digest, status, body, etag, location, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (agency, subject, key) DO UPDATE SET
                 request_digest = excluded.request_digest, status = excluded.status,
                 body = excluded.body, etag = excluded.etag, location = excluded.location,
                 created_at = excluded.created_at",
        )
        .bind(self.agency.as_str())
        .bind(&self.subject)
        .bind(&self.key)
        .bind(self.request.as_bytes().to_vec())
        .bind(i64::from(answer.status.as_u16()))
        .bind(answer.body.clone())
        .bind(answer.etag.as_deref())
        .bind(answer.location.as_deref())
        .bind(now.as_micros())
        .execute(tx)
        .await?;
        Ok(())
    }
}

fn conflict() -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_conflict")
        .detail("This Idempotency-Key was used for another request within the last 24 hours: take a new one.")
}

/// The answer kept for `attempt`, before anything is looked at again.
///
/// # Errors
/// 422 when the key was used for another request, or the store's failure.
pub(crate) async fn answered(
    gateway: &Gateway,
    attempt: Option<&Attempt>,
    now: Timestamp,
) -> Result<Option<Answer>, ApiError> {
    let Some(attempt) = attempt else { return Ok(None) };
    let mut conn = gateway.store.read().acquire().await?;
    attempt.kept(&mut conn, now).await
}

/// Does `work` once: in its transaction, unless an answer is kept, and keeps its answer.
///
/// # Errors
/// What `work` says, 422 when the key was used for another request, or the store's failure.
pub(crate) async fn once<F>(
    store: &Store,
    attempt: Option<Attempt>,
    now: Timestamp,
    work: F,
) -> Result<Answer, ApiError>
where
    F: for<'t> FnOnce(&'t mut Conn) -> BoxFuture<'t, Result<Answer, ApiError>> + Send + 'static,
{
    Ok(store
        .write(move |tx| {
            async move {
                if let Some(attempt) = &attempt
                    && let Some(answer) = attempt.kept(tx, now).await?
                {
                    return Ok::<_, ApiError>(answer);
                }
                let answer = work(tx).await?;
                if let Some(attempt) = &attempt {
                    attempt.keep(tx, &answer, now).await?;
                }
                Ok(answer)
            }
            .boxed()
        })
        .await?)
}

/// Removes answers past their time, until a soft shutdown.
pub(crate) async fn sweep(gateway: std::sync::Arc<Gateway>, shutdown: Shutdown) {
    while shutdown.pause(SWEEP_EVERY).await {
        let until = gateway.now().minus(KEPT).as_micros();
        if let Err(fault) = gateway
            .store
            .write(move |tx| {
                async move {
                    sqlx::query("DELETE FROM idempotency WHERE created_at <= $1")
                        .bind(until)
                        .execute(tx)
                        .await?;
                    Ok::<_, DbError>(())
                }
                .boxed()
            })
            .await
        {
            tracing::warn!(%fault, "kept answers past their time could not be removed");
        }
    }
}

impl Answer {
    /// An answer with this body as JSON.
    ///
    /// # Errors
    /// When the body does not serialise.
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(body).map_err(ApiError::failed)?;
        Ok(Self { status, body, etag: None, location: None })
    }

    /// The same with an entity tag.
    #[must_use]
    pub(crate) fn etag(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }

    /// The same with the place of what was made.
    #[must_use]
    pub(crate) fn location(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
        let mut response = (self.status, kind, Bytes::from(self.body)).into_response();
        let optional = [(header::ETAG, self.etag), (header::LOCATION, self.location)];
        for (name, text) in optional {
            if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
