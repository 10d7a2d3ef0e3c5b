//! Makes a gateway's store as old as years of service make it: copies of one sent and one received message and of one draft,
//! each with an id and a signature of its own.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use rovuma_envelope::{Jws, SigningKey, Typ};
use rovuma_schemas::{MessageId, Timestamp};
use rovuma_store::{Conn, FutureExt, Store, StoreConfig};
use sqlx::{AssertSqlSafe, Row};

use crate::exchange::print_progress;

/// Messages or drafts of one transaction.
const BATCH: usize = 2_000;

/// The time between two messages: 100,000 of each direction fill a year.
const APART: Duration = Duration::from_secs(5 * 60);

/// Of this many received messages one is unread.
const UNREAD_ONE_IN: usize = 500;

/// Of this many drafts one is in work.
const OPEN_ONE_IN: usize = 50;

/// What a filled store holds: each list from its end to its beginning.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    pub(crate) sent: Vec<MessageId>,
    pub(crate) received: Vec<MessageId>,
    pub(crate) unread: Vec<MessageId>,
    pub(crate) open_drafts: Vec<MessageId>,
}

/// A message that is copied.
struct Template {
    id: MessageId,
    payload: String,
    key: SigningKey,
}

/// The agencies' keys with which the copies are signed.
pub(crate) struct Keys<'a> {
    pub(crate) sender: &'a Path,
    pub(crate) partner: &'a Path,
}

/// Fills the store in `file` with this many messages, half of them sent, and drafts. No process may have it open. It must
/// hold one sent message with its receipts, one received message and one draft in work.
///
/// # Errors
/// When the store is in use, or lacks one of the three.
pub(crate) async fn fill(file: &Path, keys: &Keys<'_>, messages: usize, drafts: usize) -> Result<Filled> {
    let store = Store::open(&StoreConfig::at(format!("sqlite:{}", file.display())), &[]).await?;
    let sent = Template::load(&store, "SELECT id, jws FROM sent", keys.sender).await?;
    let received = Template::load(&store, "SELECT id, jws FROM received", keys.partner).await?;
    let draft = sqlx::query("SELECT id FROM draft WHERE state = 'draft'").fetch_one(store.read()).await;
    let draft = MessageId::from_slice(draft.context("a draft in work")?.get("id"))?;
    let copies = Copies::of(&store).await?;
    let (each, now) = (messages / 2, Timestamp::system_now());
    let at = |count: usize, number: usize| {
        let left = u32::try_from(count - number).unwrap_or(u32::MAX);
        now.minus(APART * left)
    };
    // The inbox is in the order of arrival, in which the template is the first.
    let mut filled = Filled { received: vec![received.id], unread: vec![received.id], ..Filled::default() };
    for first in (0..each).step_by(BATCH) {
        let numbers = first..(first + BATCH).min(each);
        let batch: Vec<_> = numbers
            .map(|number| {
                let created = at(each, number);
                Ok((number, created, sent.copy(created)?, received.copy(created)?))
            })
            .collect::<Result<_>>()?;
        for (number, _, (sent, _), (received, _)) in &batch {
            filled.sent.push(*sent);
            filled.received.push(*received);
            if number % UNREAD_ONE_IN == 0 {
                filled.unread.push(*received);
            }
        }
        let (copies, templates) = (copies.clone(), (sent.id, received.id));
        let write = store.write(move |tx| {
            async move {
                for (number, created, sent, received) in batch {
                    copies.sent(tx, templates.0, number, created, sent).await?;
                    copies.received(tx, templates.1, number, created, received).await?;
                }
                Ok::<_, sqlx::Error>(())
            }
            .boxed()
        });
        write.await?;
        print_progress(format_args!("{} of {messages} messages", 2 * (first + BATCH).min(each)));
    }
    // Sent messages and drafts are in the order in which they were made, in which the templates are the last.
    filled.sent.push(sent.id);
    for first in (0..drafts).step_by(BATCH) {
        let batch: Vec<_> = (first..(first + BATCH).min(drafts))
            .map(|number| (number % OPEN_ONE_IN == 0, MessageId::draw(at(drafts, number))))
            .collect();
        filled.open_drafts.extend(batch.iter().filter(|(is_open, _)| *is_open).map(|(_, id)| *id));
        let copies = copies.clone();
        let write = store.write(move |tx| {
            async move {
                for (is_open, id) in batch {
                    copies.draft(tx, draft, id, is_open).await?;
                }
                Ok::<_, sqlx::Error>(())
            }
            .boxed()
        });
        write.await?;
    }
    filled.open_drafts.push(draft);
    print_progress(format_args!("{drafts} drafts"));
    let last = i64::try_from(each)? + 1;
    let write = store.write(move |tx| {
        async move {
            for text in
                ["UPDATE outbox_stream SET last = $1", "UPDATE stream_in SET last = $1, next = $1 + 1"]
            {
                sqlx::query(text).bind(last).execute(&mut *tx).await?;
            }
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    write.await?;
    Ok(filled)
}

impl Template {
    async fn load(store: &Store, query: &'static str, key: &Path) -> Result<Self> {
        let rows = sqlx::query(query).fetch_all(store.read()).await?;
        ensure!(rows.len() == 1, "{query} found {} messages, not one", rows.len());
        let compact: String = String::from_utf8(rows[0].get("jws"))?;
        let payload = Jws::from_compact(&compact)?.unverified_payload().to_vec();
        let pem = fs::read_to_string(key).with_context(|| format!("reading {}", key.display()))?;
        Ok(Self {
            id: MessageId::from_slice(rows[0].get("id"))?,
            payload: String::from_utf8(payload)?,
            key: SigningKey::from_pkcs8_pem(&pem)?,
        })
    }

    /// The same message under another id.
    fn copy(&self, created: Timestamp) -> Result<(MessageId, Jws)> {
        let id = MessageId::draw(created);
        let payload = self.payload.replace(&self.id.to_string(), &id.to_string());
        Ok((id, Jws::sign(Typ::MESSAGE, payload.into_bytes(), &self.key)?))
    }
}

/// The statements that copy the rows of a template.
#[derive(Clone)]
struct Copies {
    sent: String,
    outbox_message: String,
    outbox_copy: String,
    receipt: String,
    received: String,
    draft: String,
}

impl Copies {
    async fn of(store: &Store) -> Result<Self> {
        let id_and_bytes = ["id=$2", "digest=$4", "created_at=$3"];
        Ok(Self {
            sent: copying(
                store,
                "sent",
                "id",
                &[&id_and_bytes[..], &["jws=$5", "original=$2", "case_id=$2"]].concat(),
            )
            .await?,
            outbox_message: copying(
                store,
                "outbox_message",
                "id",
                &[&id_and_bytes[..], &["compact=$5"]].concat(),
            )
            .await?,
            outbox_copy: copying(
                store,
                "outbox_copy",
                "message",
                &["message=$2", "enqueued_at=$3", "number=$4"],
            )
            .await?,
            receipt: copying(store, "receipt", "message_id", &["message_id=$2", "received_at=$3"]).await?,
            received: copying(
                store,
                "received",
                "id",
                &[
                    &id_and_bytes[..],
                    &["jws=$5", "original=$2", "case_id=$2", "received_at=$3", "number=$6", "read_at=$7"],
                ]
                .concat(),
            )
            .await?,
            draft: copying(store, "draft", "id", &["id=$2", "state=$3"]).await?,
        })
    }

    async fn sent(
        &self,
        tx: &mut Conn,
        template: MessageId,
        number: usize,
        created: Timestamp,
        (id, jws): (MessageId, Jws),
    ) -> sqlx::Result<()> {
        for text in [&self.sent, &self.outbox_message] {
            sqlx::query(AssertSqlSafe(text.clone()))
                .bind(template.as_bytes().to_vec())
                .bind(id.as_bytes().to_vec())
                .bind(created.as_micros())
                .bind(jws.digest().as_bytes().to_vec())
                .bind(jws.to_compact().into_bytes())
                .execute(&mut *tx)
                .await?;
        }
        let query = sqlx::query(AssertSqlSafe(self.outbox_copy.clone()));
        let query = query.bind(template.as_bytes().to_vec()).bind(id.as_bytes().to_vec());
        query.bind(created.as_micros()).bind(numbered(number)).execute(&mut *tx).await?;
        let query = sqlx::query(AssertSqlSafe(self.receipt.clone()));
        let query = query.bind(template.as_bytes().to_vec()).bind(id.as_bytes().to_vec());
        query.bind(created.as_micros()).execute(tx).await?;
        Ok(())
    }

    async fn received(
        &self,
        tx: &mut Conn,
        template: MessageId,
        number: usize,
        created: Timestamp,
        (id, jws): (MessageId, Jws),
    ) -> sqlx::Result<()> {
        sqlx::query(AssertSqlSafe(self.received.clone()))
            .bind(template.as_bytes().to_vec())
            .bind(id.as_bytes().to_vec())
            .bind(created.as_micros())
            .bind(jws.digest().as_bytes().to_vec())
            .bind(jws.to_compact().into_bytes())
            .bind(numbered(number))
            .bind((!number.is_multiple_of(UNREAD_ONE_IN)).then(|| created.as_micros()))
            .execute(tx)
            .await?;
        Ok(())
    }

    async fn draft(
        &self,
        tx: &mut Conn,
        template: MessageId,
        id: MessageId,
        is_open: bool,
    ) -> sqlx::Result<()> {
        let query = sqlx::query(AssertSqlSafe(self.draft.clone()));
        let query = query.bind(template.as_bytes().to_vec()).bind(id.as_bytes().to_vec());
        query.bind(if is_open { "draft" } else { "released" }).execute(tx).await?;
        Ok(())
    }
}

/// A message's number in its stream: the template has 1.
fn numbered(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX).saturating_add(2)
}

/// The statement that copies the rows of `table` whose column `key` is `$1`, with these columns replaced: `id=$2`.
async fn copying(store: &Store, table: &str, key: &str, replaced: &[&str]) -> Result<String> {
    let rows =
        format!("SELECT name FROM pragma_table_info('{table}') WHERE NOT (type = 'INTEGER' AND pk > 0)");
    let rows = sqlx::query(AssertSqlSafe(rows)).fetch_all(store.read()).await?;
    let names: Vec<String> = rows.iter().map(|row| row.get("name")).collect();
    let replacement = |name: &str| replaced.iter().find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
    let count = names.iter().filter(|name| replacement(name).is_some()).count();
    ensure!(count == replaced.len(), "{table} lacks a column of {replaced:?}");
    let values: Vec<&str> = names.iter().map(|name| replacement(name).unwrap_or(name)).collect();
    let (columns, values) = (names.join(", "), values.join(", "));
    Ok(format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE {key} = $1"))
}
