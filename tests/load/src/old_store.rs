//! Makes a gateway's store as old as years of service make it: copies of cases that the product made, sent and received messages in
//! each, and of one draft, each with an id and a signature of its own.
//!
//! The rows of a case are copied as the gateway had folded them. Its state depends on nothing that a copy has of its own, and the
//! programme that asks afterwards checks for a sample that the gateway folds the copies to the same.

mod copies;
mod template;

use std::{collections::HashSet, path::Path, time::Duration};

use anyhow::{Context, Result};
use rovuma_schemas::{MessageId, Timestamp};
use rovuma_store::{FutureExt, RowExt, Store, StoreConfig};
use sqlx::Row;

use self::{
    copies::Copies,
    template::{CaseCopy, Signers, TemplateCase},
};
use crate::exchange::print_progress;

/// Cases or drafts of one transaction.
const BATCH: usize = 500;

/// The time between two cases: 50,000 fill a year.
const APART: Duration = Duration::from_secs(10 * 60);

/// The time between two messages of a case.
const STEP: Duration = Duration::from_secs(10);

/// Of this many received messages one is unread.
const UNREAD_ONE_IN: usize = 500;

/// Of this many drafts one is in work.
const OPEN_ONE_IN: usize = 50;

/// The numbers of copies begin here, beyond those of the templates.
const FIRST_NUMBER: usize = 1_000;

/// Of this many cases that we opened, the issuer must act in one.
const OURS_ONE_IN: usize = 50;

/// Cases with 30 messages, and as many with one.
const LONG_AND_BARE: usize = 60;

/// Indexes that lead to a template's rows while the store is filled. The gateway has none there: it never asks by id alone.
const BY_TEMPLATE_BEGIN: [&str; 2] = [
    "CREATE INDEX load_case_message ON case_message (id)",
    "CREATE INDEX load_case_party ON case_party (case_id)",
];

/// Takes them away again, so that the gateway answers with its own.
const BY_TEMPLATE_END: [&str; 2] = ["DROP INDEX load_case_message", "DROP INDEX load_case_party"];

/// The parts that cases play in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Ours, of two agencies: every error report is answered.
    Plain,
    /// Ours: released in an emergency, to be confirmed, and an error report is to be answered.
    Ours,
    /// The partner's.
    Foreign,
    /// Ours, with 30 messages.
    Long,
    /// Ours, with one message.
    Bare,
}

/// The openers of the cases that are copied, one for each role, in the order in which they were opened.
pub(crate) type Openers = Vec<(Role, MessageId)>;

/// A case in the store.
#[derive(Clone, Debug)]
pub(crate) struct FilledCase {
    pub(crate) role: Role,
    pub(crate) id: MessageId,
    pub(crate) messages: usize,
    /// Empty, as the next, of the cases that were copied.
    pub(crate) reference: String,
    pub(crate) short_reference: String,
}

/// What a filled store holds: each list from its end to its beginning.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    pub(crate) sent: Vec<MessageId>,
    /// Those of `sent` that went to one agency.
    pub(crate) to_one: HashSet<MessageId>,
    pub(crate) received: Vec<MessageId>,
    pub(crate) unread: Vec<MessageId>,
    pub(crate) open_drafts: Vec<MessageId>,
    pub(crate) cases: Vec<FilledCase>,
}

/// The agencies' keys with which the copies are signed.
pub(crate) struct Keys<'a> {
    pub(crate) sender: &'a Path,
    pub(crate) partner: &'a Path,
}

/// How much is filled in.
#[derive(Clone, Copy)]
pub(crate) struct Amounts {
    /// Cases of four messages.
    pub(crate) cases: usize,
    pub(crate) drafts: usize,
}

/// Fills the store in `file`. No process may have it open. It must hold the cases with these openers and one draft in work.
///
/// # Errors
/// When the store is in use, or lacks one of them.
pub(crate) async fn fill(
    file: &Path,
    keys: &Keys<'_>,
    openers: &Openers,
    amounts: Amounts,
) -> Result<Filled> {
    let store = Store::open(&StoreConfig::at(format!("sqlite:{}", file.display())), &[]).await?;
    let signers = Signers::load(keys.sender, keys.partner)?;
    let mut templates = Vec::new();
    for (role, opener) in openers {
        templates.push((*role, TemplateCase::load(&store, *opener).await?));
    }
    let copies = Copies::of(&store).await?;
    run_all(&store, &BY_TEMPLATE_BEGIN).await?;
    let now = Timestamp::system_now();
    // The inbox is in the order of arrival, in which the templates are the first.
    let received = ids(&store, "SELECT id FROM received ORDER BY seq").await?;
    let mut filled = Filled { unread: received.clone(), received, ..Filled::default() };
    // What was sent is in the order in which it was made, in which the templates are the last.
    let templates_sent = ids(&store, "SELECT id FROM sent ORDER BY created_at, id").await?;
    let roles = roles(amounts.cases);
    for (batch, chunk) in roles.chunks(BATCH).enumerate() {
        let mut made = Vec::with_capacity(chunk.len());
        for (place, role) in chunk.iter().enumerate() {
            let serial = batch * BATCH + place;
            let left = u32::try_from(roles.len() - serial).unwrap_or(u32::MAX);
            let template = templates.iter().find(|(other, _)| other == role);
            let (_, template) = template.with_context(|| format!("a template {role:?}"))?;
            made.push((*role, template.copy(serial, now.minus(APART * left), STEP, &signers)?));
        }
        let numbered = made.iter().map(|(role, case)| filled.note(*role, case)).collect::<Vec<_>>();
        let copies = copies.clone();
        let write = store.write(move |tx| {
            async move {
                for ((_, case), numbers) in made.iter().zip(&numbered) {
                    copies.case(tx, case, numbers).await?;
                }
                Ok::<_, sqlx::Error>(())
            }
            .boxed()
        });
        write.await?;
        print_progress(format_args!("{} of {} cases", (batch * BATCH) + chunk.len(), roles.len()));
    }
    filled.sent.extend(templates_sent);
    let single = "SELECT message AS id FROM outbox_copy GROUP BY message HAVING COUNT(*) = 1";
    filled.to_one = ids(&store, single).await?.into_iter().collect();
    for (role, template) in &templates {
        let (reference, short_reference) = (String::new(), String::new());
        let (id, messages) = (template.opener, template.len());
        filled.cases.push(FilledCase { role: *role, id, messages, reference, short_reference });
    }
    fill_drafts(&store, &copies, &mut filled, amounts.drafts, now).await?;
    let last = i64::try_from(FIRST_NUMBER + filled.sent.len().max(filled.received.len()))?;
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
    run_all(&store, &BY_TEMPLATE_END).await?;
    Ok(filled)
}

async fn run_all(store: &Store, statements: &'static [&'static str]) -> Result<()> {
    let write = store.write(move |tx| {
        async move {
            for statement in statements {
                sqlx::query(*statement).execute(&mut *tx).await?;
            }
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    Ok(write.await?)
}

async fn fill_drafts(
    store: &Store,
    copies: &Copies,
    filled: &mut Filled,
    drafts: usize,
    now: Timestamp,
) -> Result<()> {
    let draft = sqlx::query("SELECT id FROM draft WHERE state = 'draft'").fetch_one(store.read()).await;
    let draft = MessageId::from_slice(draft.context("a draft in work")?.get("id"))?;
    for first in (0..drafts).step_by(BATCH) {
        let at = |number: usize| now.minus(APART * u32::try_from(drafts - number).unwrap_or(u32::MAX));
        let batch: Vec<_> = (first..(first + BATCH).min(drafts))
            .map(|number| (number % OPEN_ONE_IN == 0, MessageId::draw(at(number))))
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
    Ok(())
}

/// The role of each case, from the oldest: ours and the partner's in turn, and at the end those of one and of 30 messages.
fn roles(cases: usize) -> Vec<Role> {
    let role = |number: usize| match number {
        number if number % 2 == 1 => Role::Foreign,
        number if number % (2 * OURS_ONE_IN) == 0 => Role::Ours,
        _ => Role::Plain,
    };
    let long_and_bare = [Role::Long, Role::Bare].into_iter().cycle().take(2 * LONG_AND_BARE);
    (0..cases).map(role).chain(long_and_bare).collect()
}

async fn ids(store: &Store, query: &'static str) -> Result<Vec<MessageId>> {
    let rows = sqlx::query(query).fetch_all(store.read()).await?;
    rows.iter().map(|row| Ok(row.message_id("id")?)).collect()
}

impl Filled {
    /// Notes a copied case. Returns the number of each of its messages, and whether it is unread.
    fn note(&mut self, role: Role, case: &CaseCopy) -> Vec<(i64, bool)> {
        self.cases.push(FilledCase {
            role,
            id: case.opener,
            messages: case.messages.len(),
            reference: case.reference.clone(),
            short_reference: case.short_reference.clone(),
        });
        let mut numbers = Vec::with_capacity(case.messages.len());
        for message in &case.messages {
            let list = if message.is_sent { &mut self.sent } else { &mut self.received };
            list.push(message.id);
            let place = list.len();
            let is_unread = !message.is_sent && place.is_multiple_of(UNREAD_ONE_IN);
            if is_unread {
                self.unread.push(message.id);
            }
            numbers.push((i64::try_from(FIRST_NUMBER + place).unwrap_or(i64::MAX), is_unread));
        }
        numbers
    }
}
