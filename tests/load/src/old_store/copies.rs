//! The statements that copy the rows of a template.

use anyhow::{Result, ensure};
use rovuma_schemas::MessageId;
use rovuma_store::{Conn, Store};
use sqlx::{AssertSqlSafe, Row};

use super::template::{CaseCopy, MessageCopy};

/// One statement for each table.
#[derive(Clone)]
pub(super) struct Copies {
    sent: String,
    outbox_message: String,
    outbox_copy: String,
    receipt: String,
    received: String,
    case_message: String,
    case_file: String,
    case_party: String,
    draft: String,
}

impl Copies {
    pub(super) async fn of(store: &Store) -> Result<Self> {
        let id_and_bytes = ["id=$2", "digest=$4", "created_at=$3"];
        let sent = [&id_and_bytes[..], &["jws=$5", "original=$2", "case_id=$6", "in_reply_to=$7"]].concat();
        let outbox_message = [&id_and_bytes[..], &["compact=$5"]].concat();
        let received = [&sent[..], &["received_at=$3", "number=$8", "read_at=$9"]].concat();
        let in_case = ["case_id=$2", "id=$3", "created_at=$4", "content=$5", "in_reply_to=$6"];
        let file = ["case_id=$2", "opened_at=$3", "changed_at=$4", "reference=$5", "short_reference=$6"];
        let copy = ["message=$2", "enqueued_at=$3", "number=$4"];
        Ok(Self {
            sent: copying(store, "sent", "id", &sent).await?,
            outbox_message: copying(store, "outbox_message", "id", &outbox_message).await?,
            outbox_copy: copying(store, "outbox_copy", "message", &copy).await?,
            receipt: copying(store, "receipt", "message_id", &["message_id=$2", "received_at=$3"]).await?,
            received: copying(store, "received", "id", &received).await?,
            case_message: copying(store, "case_message", "id", &in_case).await?,
            case_file: copying(store, "case_file", "case_id", &file).await?,
            case_party: copying(store, "case_party", "case_id", &["case_id=$2", "opened_at=$3"]).await?,
            draft: copying(store, "draft", "id", &["id=$2", "state=$3"]).await?,
        })
    }

    /// Copies the rows of a case: those that list it, and those of each message, with its number and whether it is unread.
    pub(super) async fn case(
        &self,
        tx: &mut Conn,
        case: &CaseCopy,
        numbers: &[(i64, bool)],
    ) -> sqlx::Result<()> {
        let bytes = |id: MessageId| id.as_bytes().to_vec();
        let opened = case.messages.first().map_or(0, |message| message.created.as_micros());
        let changed = case.messages.last().map_or(0, |message| message.created.as_micros());
        sqlx::query(AssertSqlSafe(self.case_file.clone()))
            .bind(bytes(case.template))
            .bind(bytes(case.opener))
            .bind(opened)
            .bind(changed)
            .bind(case.reference.to_lowercase())
            .bind(case.short_reference.clone())
            .execute(&mut *tx)
            .await?;
        let party = sqlx::query(AssertSqlSafe(self.case_party.clone()));
        party.bind(bytes(case.template)).bind(bytes(case.opener)).bind(opened).execute(&mut *tx).await?;
        for (message, (number, is_unread)) in case.messages.iter().zip(numbers) {
            let kept = sqlx::query(AssertSqlSafe(self.case_message.clone()));
            kept.bind(bytes(message.template))
                .bind(bytes(case.opener))
                .bind(bytes(message.id))
                .bind(message.created.as_micros())
                .bind(message.content.as_bytes().to_vec())
                .bind(message.in_reply_to.map(bytes))
                .execute(&mut *tx)
                .await?;
            if message.is_sent {
                self.sent(tx, case.opener, message, *number).await?;
            } else {
                self.received(tx, case.opener, message, *number, *is_unread).await?;
            }
        }
        Ok(())
    }

    async fn sent(
        &self,
        tx: &mut Conn,
        case: MessageId,
        message: &MessageCopy,
        number: i64,
    ) -> sqlx::Result<()> {
        let bytes = |id: MessageId| id.as_bytes().to_vec();
        let created = message.created.as_micros();
        let compact = message.jws.to_compact().into_bytes();
        let id_and_bytes = |text: &String| {
            sqlx::query(AssertSqlSafe(text.clone()))
                .bind(bytes(message.template))
                .bind(bytes(message.id))
                .bind(created)
                .bind(message.jws.digest().as_bytes().to_vec())
                .bind(compact.clone())
        };
        let sent = id_and_bytes(&self.sent).bind(bytes(case)).bind(message.in_reply_to.map(bytes));
        sent.execute(&mut *tx).await?;
        id_and_bytes(&self.outbox_message).execute(&mut *tx).await?;
        let copy = sqlx::query(AssertSqlSafe(self.outbox_copy.clone())).bind(bytes(message.template));
        copy.bind(bytes(message.id)).bind(created).bind(number).execute(&mut *tx).await?;
        let receipt = sqlx::query(AssertSqlSafe(self.receipt.clone())).bind(bytes(message.template));
        receipt.bind(bytes(message.id)).bind(created).execute(tx).await?;
        Ok(())
    }

    async fn received(
        &self,
        tx: &mut Conn,
        case: MessageId,
        message: &MessageCopy,
        number: i64,
        is_unread: bool,
    ) -> sqlx::Result<()> {
        let bytes = |id: MessageId| id.as_bytes().to_vec();
        sqlx::query(AssertSqlSafe(self.received.clone()))
            .bind(bytes(message.template))
            .bind(bytes(message.id))
            .bind(message.created.as_micros())
            .bind(message.jws.digest().as_bytes().to_vec())
            .bind(message.jws.to_compact().into_bytes())
            .bind(bytes(case))
            .bind(message.in_reply_to.map(bytes))
            .bind(number)
            .bind((!is_unread).then(|| message.created.as_micros()))
            .execute(tx)
            .await?;
        Ok(())
    }

    pub(super) async fn draft(
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
