//! `Idempotency-Key`: a request that is sent again is answered again, not done again.
//!
//! The answer is kept in the transaction that does the work. Same key and same request: the kept answer. Same key
//! and another request: refused. A request that was refused did nothing, so its answer is not kept and the key may
//! be tried again.
//!
//! A service that uses this has the table `idempotency` in a migration of its own, as `1001_gateway.sql` makes it.

use std::{sync::Arc, time::Duration};

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

use crate::{
    caller::Caller,
    error::{ApiError, StoreProblems},
    state::ApiState,
};

/// The time for which answers are kept: longer than any client goes on trying.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The interval at which answers past that time are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// Maximum characters of a key; a UUID has 36.
const KEY_MAX: usize = 128;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key and the head of the request that it stands for: method and path.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    key: Option<String>,
    head: String,
}

/// One request under a key, by one caller.
#[derive(Clone, Debug)]
pub struct Attempt {
    agency: AgencyCode,
    subject: String,
    key: String,
    request: Digest,
}

/// An answer that can be kept and given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    status: StatusCode,
    body: Vec<u8>,
    etag: Option<String>,
    location: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let key = match parts.headers.get(&IDEMPOTENCY_KEY) {
            Some(value) => Some(read_key(value).ok_or_else(bad_key)?),
            None => None,
        };
        Ok(Self { key, head: format!("{} {}", parts.method, parts.uri) })
    }
}

fn read_key(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().unwrap_or_default();
    let fits = (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| text.to_owned())
}

fn bad_key() -> Problem {
    Problem::bad_request("idempotency_key")
        .detail("Idempotency-Key takes 1 to 128 visible ASCII characters, such as a UUID.")
}

impl IdempotencyKey {
    /// The attempt of `caller` with this body, when the request has a key.
    pub fn attempt(self, caller: &Caller, body: &[u8]) -> Option<Attempt> {
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
    /// The answer kept for this attempt, if there is one; 422 when the key was used for another request.
    async fn kept<S: StoreProblems>(
        &self,
        conn: &mut Conn,
        now: Timestamp,
    ) -> Result<Option<Answer>, ApiError<S>> {
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
            status: status.ok_or_else(|| ApiError::failed("a stored answer has no HTTP status"))?,
            body: row.try_get("body")?,
            etag: row.try_get("etag")?,
            location: row.try_get("location")?,
        }))
    }

    /// Keeps the answer, in the transaction that does the work.
    async fn keep(&self, tx: &mut Conn, answer: &Answer, now: Timestamp) -> sqlx::Result<()> {
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

/// The answer kept for `attempt`, for a route that has costly checks to make before [`once`].
///
/// # Errors
/// 422 when the key was used for another request, or the store's failure.
pub async fn answered<S: StoreProblems>(
    store: &Store,
    attempt: Option<&Attempt>,
    now: Timestamp,
) -> Result<Option<Answer>, ApiError<S>> {
    let Some(attempt) = attempt else { return Ok(None) };
    let mut conn = store.read().acquire().await?;
    attempt.kept(&mut conn, now).await
}

/// Does `work` once: in its transaction, unless an answer is kept, and keeps its answer.
///
/// # Errors
/// The error of `work`, 422 when the key was used for another request, or the store's failure.
pub async fn once<S, F>(
    store: &Store,
    attempt: Option<Attempt>,
    now: Timestamp,
    work: F,
) -> Result<Answer, ApiError<S>>
where
    S: StoreProblems,
    F: for<'t> FnOnce(&'t mut Conn) -> BoxFuture<'t, Result<Answer, ApiError<S>>> + Send + 'static,
{
    Ok(store
        .write(move |tx| {
            async move {
                // Asked again in here: the same request may have been done since the route looked.
                if let Some(attempt) = &attempt
                    && let Some(answer) = attempt.kept(tx, now).await?
                {
                    return Ok::<_, ApiError<S>>(answer);
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

/// Removes answers past their time from `store`, until a soft shutdown.
pub async fn sweep<S: ApiState>(state: Arc<S>, store: Store, shutdown: Shutdown) {
    while shutdown.pause(SWEEP_EVERY).await {
        let until = state.now().minus(KEPT).as_micros();
        let write = store.write(move |tx| {
            let delete = sqlx::query("DELETE FROM idempotency WHERE created_at <= $1").bind(until);
            async move { delete.execute(tx).await.map(|_| ()) }.boxed()
        });
        if let Err(fault) = write.await {
            tracing::warn!(%fault, "kept answers past their time could not be removed");
        }
    }
}

impl Answer {
    /// An answer with this body as JSON.
    ///
    /// # Errors
    /// When the body does not serialise.
    pub fn json<S>(status: StatusCode, body: &impl Serialize) -> Result<Self, ApiError<S>> {
        let body = serde_json::to_vec(body).map_err(ApiError::failed)?;
        Ok(Self { status, body, etag: None, location: None })
    }

    /// The same with an entity tag.
    #[must_use]
    pub fn etag(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }

    /// The same with the address of the created resource.
    #[must_use]
    pub fn location(mut self, location: String) -> Self {
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
