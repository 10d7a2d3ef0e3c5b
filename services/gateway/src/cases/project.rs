//! Stores messages of cases, and folds each of those cases again in the same transaction.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rovuma_schemas::{AgencyCode, CaseId, Class, MessageId, MessageType, Status, Timestamp};
use rovuma_store::{Binding, Conn, Insert};

use super::{
    admission, beside,
    fold::{WarningKind, rules::Ball},
    folded::{CaseMessages, FoldedCase, Phase},
    identifiers::{self, ContentIdentifiers, Mention},
    kept::{self, CaseKey, Contribution, KeptMessage},
    short_reference,
};
use crate::{
    alarm::{self, AlarmKind},
    base::Base,
    error::DbError,
    events::EventKind,
    families,
};

/// The least time for which a case is kept after the last message that came in it: a week, in which somebody may notice what was done
/// and have the case held.
pub(crate) const DISPUTED_WITHIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The status of a case is that of the message that opened it, even where something else of its owner came first.
const STATUS_OF_OPENER: &str = "
    UPDATE case_file SET status = $1
    WHERE agency = $2 AND owner = $3 AND case_id = $4 AND kind = $5 AND status <> $1";

/// The largest number of the store, for an instant that never comes.
pub(crate) const NEVER: i64 = i64::MAX;

/// A message that a transaction adds to a case, in the view of one of our agencies.
#[derive(Clone, Debug)]
pub(crate) struct NewInCase {
    /// The case.
    pub(crate) key: CaseKey,
    /// The message.
    pub(crate) message: KeptMessage,
    /// Actual, exercise or test.
    pub(crate) status: Status,
    /// The owner's file number, of a message of the owner.
    pub(crate) reference: Option<String>,
    /// The other agencies that the message shows to be parties.
    pub(crate) parties: BTreeSet<AgencyCode>,
    /// Whether it brings content that is erased at the end of the case's retention.
    pub(crate) has_content: bool,
    /// What the content that it brings is about.
    identifiers: ContentIdentifiers,
}

impl NewInCase {
    /// The message, stored by the agency of this view at `at`.
    pub(crate) fn delivered(mut self, at: Timestamp) -> Self {
        self.message.delivered = Some(at);
        self
    }

    /// Whether it takes effect whatever else came, and for ever.
    pub(super) fn is_absorbing(&self) -> bool {
        let family = self.key.kind.parse();
        family.is_ok_and(|family| families::rules(family).is_absorbing(&self.message.message_type))
    }

    /// Whether it opened the case.
    pub(super) fn is_opener(&self) -> bool {
        let is_openers = |known: MessageType| matches!(known.class(), Class::Opener(_));
        // What a newer version opens cases with is not known here.
        let may_open = self.message.message_type.parse().map_or(true, is_openers);
        may_open && self.message.sender == self.key.owner && self.message.turn == 1
    }

    /// A message in the view of `agency`; none if it stands in no case.
    pub(crate) fn new(
        agency: &AgencyCode,
        header: &rovuma_schemas::Header,
        mut contribution: Contribution,
        recipients: impl IntoIterator<Item = AgencyCode>,
    ) -> Option<Self> {
        let has_content = !contribution.is_bare_certificate;
        let identifiers = std::mem::take(&mut contribution.identifiers);
        let (case, message) = KeptMessage::of_header(header, contribution)?;
        let is_owners = case.owner == message.sender;
        // A recipient's copy names only the other recipients in its own country, so it shows no more than its sender.
        let others =
            if *agency == message.sender { recipients.into_iter().collect() } else { BTreeSet::new() };
        let mut parties: BTreeSet<AgencyCode> = others;
        parties.extend([message.sender.clone(), case.owner.clone()]);
        parties.remove(agency);
        Some(Self {
            key: CaseKey::new(agency, &case),
            status: header.status,
            reference: header.reference.clone().filter(|_| is_owners),
            message,
            parties,
            has_content,
            identifiers,
        })
    }
}

/// Stores the messages, folds their cases again and records what changed. After an error the transaction must be rolled back.
pub(crate) async fn add(
    tx: &mut Conn,
    base: &Base,
    new: Vec<NewInCase>,
    now: Timestamp,
) -> Result<(), DbError> {
    if new.is_empty() {
        return Ok(());
    }
    let keys = keys_of(&new);
    // Nobody has written in a case that one of ours opens now: its name is new.
    let is_opened_now = |new: &NewInCase| {
        new.message.sender == new.key.agency && new.message.id == new.key.id && new.message.replaces.is_none()
    };
    let mut cases = match new.iter().all(is_opened_now) {
        true => BTreeMap::new(),
        false => kept::load(tx, &keys).await?,
    };
    let mut admitted: Vec<NewInCase> = Vec::with_capacity(new.len());
    let mut not_admitted = Vec::new();
    let mut statuses: BTreeMap<CaseKey, Status> = BTreeMap::new();
    for added in new {
        let messages = cases.entry(added.key.clone()).or_default();
        let is_known = messages.iter().any(|kept| {
            kept.id == added.message.id
                && kept.sender == added.message.sender
                && kept.turn == added.message.turn
        });
        if is_known {
            continue;
        }
        let status = statuses.get(&added.key).copied();
        match admission::check(tx, &added, (messages, status)).await? {
            Ok(()) => {
                // A case that is opened now has the status of its opener, whatever came before it.
                if status.is_none() || added.is_opener() {
                    statuses.insert(added.key.clone(), added.status);
                }
                messages.push(added.message.clone());
                admitted.push(added);
            }
            Err(reason) => {
                admission::alarm(tx, &added, reason, now).await?;
                not_admitted.push(added);
            }
        }
    }
    let new = admitted;
    let rows: Vec<(CaseKey, KeptMessage)> =
        new.iter().map(|new| (new.key.clone(), new.message.clone())).collect();
    kept::insert(tx, &rows).await?;
    let mut projections = Vec::with_capacity(keys.len());
    let mut over = Vec::new();
    for key in keys_of(&new) {
        let messages = cases.remove(&key).unwrap_or_default();
        let added: Vec<&NewInCase> = new.iter().filter(|new| new.key == key).collect();
        let state_beside = beside::state_of(tx, &key, &messages, (now, false)).await?;
        if let Some(projection) = Projection::of(key, (&messages, state_beside), &added, now) {
            if projection.is_over_since(&messages, &added) {
                over.push(projection.key.clone());
            }
            projections.push(projection);
        }
    }
    // Only what its owner lawfully says is what a case is about.
    let is_content = |new: &&NewInCase| {
        let projection = projections.iter().find(|projection| projection.key == new.key);
        new.message.sender == new.key.owner
            && projection.is_some_and(|projection| projection.lawful.contains(&new.message.id))
    };
    let contents: Vec<_> = new.iter().filter(is_content).map(|new| (&new.key, &new.identifiers)).collect();
    identifiers::insert(tx, &contents).await?;
    // What does not stand in its case is readable all the same, and as little to be handed on.
    let mentions: Vec<Mention<'_>> = new
        .iter()
        .chain(&not_admitted)
        .map(|new| Mention {
            key: &new.key,
            sender: &new.message.sender,
            message: new.message.id,
            content: &new.identifiers,
        })
        .collect();
    identifiers::insert_mentions(tx, &mentions, now).await?;
    write(tx, base, &new, &projections, now).await?;
    // What hangs on a case that is over now shows it at once, and once: however many of these cases are over.
    let mut hanging = BTreeSet::new();
    for key in &over {
        hanging.extend(beside::hanging(tx, key, beside::HANGING_MAX).await?);
    }
    for key in &hanging {
        again(tx, base, key, now).await?;
    }
    Ok(())
}

fn keys_of(new: &[NewInCase]) -> Vec<CaseKey> {
    new.iter().map(|new| new.key.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Folds one case again from its kept messages, whatever the projection says.
///
/// # Errors
/// [`DbError`] when the store does not answer; then the transaction must be rolled back.
pub(crate) async fn again(tx: &mut Conn, base: &Base, key: &CaseKey, now: Timestamp) -> Result<(), DbError> {
    let mut cases = kept::load(tx, std::slice::from_ref(key)).await?;
    let messages = cases.remove(key).unwrap_or_default();
    let state_beside = beside::state_of(tx, key, &messages, (now, false)).await?;
    match Projection::of(key.clone(), (&messages, state_beside), &[], now) {
        Some(projection) => write(tx, base, &[], &[projection], now).await,
        None => Ok(()),
    }
}

async fn write(
    tx: &mut Conn,
    base: &Base,
    new: &[NewInCase],
    projections: &[Projection],
    now: Timestamp,
) -> Result<(), DbError> {
    let (with_content, others): (Vec<&Projection>, Vec<&Projection>) =
        projections.iter().partition(|projection| projection.has_content);
    WITH_CONTENT.rows(tx, &with_content, |query, projection| projection.bind(query)).await?;
    WITHOUT_CONTENT.rows(tx, &others, |query, projection| projection.bind(query)).await?;
    let parties: Vec<Party<'_>> = new
        .iter()
        .flat_map(|new| new.parties.iter().map(move |partner| Party { key: &new.key, partner, opened: now }))
        .collect();
    PARTY.rows(tx, &parties, |query, party| party.bind(query)).await?;
    for opener in new.iter().filter(|new| new.is_opener() && new.message.sender != new.key.agency) {
        let query = sqlx::query(STATUS_OF_OPENER).bind(opener.status.as_str());
        opener.key.bind(query).execute(&mut *tx).await?;
    }
    for projection in projections {
        let key = &projection.key;
        base.events.record(tx, &key.agency, EventKind::CaseChanged, Some(&key.id), projection.messages, now);
        for (partner, subject, detail) in &projection.alarms {
            alarm::raise_by(tx, &key.agency, AlarmKind::CaseFault, partner, (subject, detail), now).await?;
        }
    }
    Ok(())
}

/// A row of the table `case_file`.
#[derive(Clone, Debug)]
struct Projection {
    key: CaseKey,
    status: Option<Status>,
    reference: Option<String>,
    short_reference: String,
    facet: Option<String>,
    phases: [Phase; 3],
    due: Option<Timestamp>,
    handling: Option<&'static str>,
    version: u32,
    messages: i64,
    missing: i64,
    warnings: i64,
    retain_until: i64,
    erase_at: i64,
    opened: Timestamp,
    /// Whether a new message brings content: then the case is to be erased again.
    has_content: bool,
    group: Option<MessageId>,
    /// The case that it hangs on.
    hangs_on: Option<CaseId>,
    /// The new messages of the owner that are lawful.
    lawful: BTreeSet<MessageId>,
    /// What an operator must look at because of the new messages: partner, subject, detail.
    alarms: Vec<(AgencyCode, String, String)>,
}

impl Projection {
    /// The projection; none of a case of a kind that is not known here, whose messages are only kept.
    fn of(
        key: CaseKey,
        (messages, state_beside): (&[KeptMessage], Option<&str>),
        new: &[&NewInCase],
        now: Timestamp,
    ) -> Option<Self> {
        let rules = families::rules(key.kind.parse().ok()?);
        let mut projection = None;
        rules.fold(&CaseMessages { owner: &key.owner, kept: messages, state_beside }, &mut |fold| {
            projection = Some(Self::of_fold(&key, messages, new, fold, now));
        });
        projection
    }

    fn of_fold(
        key: &CaseKey,
        messages: &[KeptMessage],
        new: &[&NewInCase],
        fold: &dyn FoldedCase,
        now: Timestamp,
    ) -> Self {
        let outcome = fold.at(now);
        let facts = outcome.state;
        let missing: u64 = outcome.missing.iter().map(|missing| missing.to - missing.from + 1).sum();
        let end_of_retention = facts.retain_until.map_or(NEVER, |day| day.plus_days(1).start().as_micros());
        let erase_at = facts.over_at.map_or(NEVER, |over| over.as_micros().max(end_of_retention));
        let newest: BTreeSet<(&AgencyCode, u64)> =
            new.iter().map(|new| (&new.message.sender, new.message.turn)).collect();
        let alarms =
            outcome.warnings.iter().filter(|warning| newest.contains(&(&warning.agency, warning.turn)));
        let alarms = alarms.filter(|warning| warning.kind != WarningKind::UnknownType).map(|warning| {
            let subject = format!("{} {} turn {}", key.case(), warning.agency, warning.turn);
            (warning.agency.clone(), subject, warning.kind.as_str().to_owned())
        });
        let lines = fold.lines();
        let lawful = lines.iter().filter(|line| *line.sender == key.owner && line.effect.is_lawful());
        let lawful =
            lawful.flat_map(|line| line.ids).filter(|id| new.iter().any(|new| new.message.id == **id));
        // What a partner sent is kept for a while, whatever it says: nobody has the proof of what they did erased overnight.
        let last_stored = messages.iter().filter_map(|message| message.delivered).max();
        let disputable = last_stored.map_or(0, |at| at.plus(DISPUTED_WITHIN).as_micros());
        Self {
            lawful: lawful.copied().collect(),
            status: new.first().map(|new| new.status),
            reference: new.iter().find_map(|new| new.reference.clone()),
            short_reference: short_reference::of_case(&key.owner, key.id, messages),
            facet: facts.facet,
            phases: three(fold.phases()),
            due: facts.due,
            handling: facts.handling.map(rovuma_schemas::HandlingCode::as_str),
            version: facts.version.unwrap_or_default(),
            messages: to_count(messages.len() as u64),
            missing: to_count(missing),
            warnings: to_count(outcome.warnings.len() as u64),
            retain_until: end_of_retention,
            erase_at: if end_of_retention == NEVER { NEVER } else { erase_at.max(disputable) },
            opened: now,
            has_content: new.iter().any(|new| new.has_content),
            group: facts.group,
            // Whoever else tells us of a third agency's alert does not add to what hangs on it here.
            hangs_on: facts.hangs_on.filter(|other| key.agency == key.owner || key.agency == other.owner),
            alarms: alarms.collect(),
            key: key.clone(),
        }
    }

    /// Whether the case is over by one of the `new` messages, and was not before: saying it again changes nothing.
    fn is_over_since(&self, messages: &[KeptMessage], new: &[&NewInCase]) -> bool {
        let is_new = |id: MessageId| new.iter().any(|new| new.message.id == id);
        let is_end =
            |kind: &str| self.key.kind.parse().is_ok_and(|family| families::rules(family).is_absorbing(kind));
        let was_over = messages
            .iter()
            .any(|kept| kept.sender == self.key.owner && is_end(&kept.message_type) && !is_new(kept.id));
        !was_over && new.iter().any(|new| new.is_absorbing() && self.lawful.contains(&new.message.id))
    }

    fn bind<'q>(&'q self, query: Binding<'q>) -> Binding<'q> {
        let ball = |phase: &Phase| ball_word(&self.key, phase.ball);
        let until = |phase: &Phase| phase.until.map_or(NEVER, Timestamp::as_micros);
        let [first, second, third] = &self.phases;
        self.key
            .bind(query)
            .bind(self.status.map_or("", Status::as_str))
            .bind(self.facet.as_deref())
            .bind(self.reference.as_deref().map(str::to_lowercase).unwrap_or_default())
            .bind(self.short_reference.as_str())
            .bind(first.state)
            .bind(ball(first))
            .bind(until(first))
            .bind(second.state)
            .bind(ball(second))
            .bind(until(second))
            .bind(third.state)
            .bind(ball(third))
            .bind(self.due.map_or(NEVER, Timestamp::as_micros))
            .bind(self.handling)
            .bind(i64::from(self.version))
            .bind(self.messages)
            .bind(self.missing)
            .bind(self.warnings)
            .bind(self.retain_until)
            .bind(self.erase_at)
            .bind(self.opened.as_micros())
            .bind(self.opened.as_micros())
            .bind(self.group.map(|id| id.as_bytes().to_vec()))
            .bind(self.hangs_on.as_ref().map(|case| case.owner.to_string()))
            .bind(self.hangs_on.as_ref().map(|case| case.id.as_bytes().to_vec()))
    }
}

/// Who must act, in the view of the agency whose case it is.
pub(crate) fn ball_word(key: &CaseKey, ball: Ball) -> &'static str {
    let is_owner = key.agency == key.owner;
    match ball {
        Ball::Nobody => "nobody",
        Ball::Owner if is_owner => "ours",
        Ball::Other if !is_owner => "ours",
        Ball::Owner | Ball::Other => "theirs",
    }
}

/// The first three phases; the last is repeated where there are fewer. Where a family had more, the last phase would stand for those
/// after it in lists until the upkeep moves on: the case itself shows its state exactly.
fn three(mut phases: Vec<Phase>) -> [Phase; 3] {
    let last = phases.last().cloned().unwrap_or(Phase { state: "", ball: Ball::Nobody, until: None });
    phases.resize(3.max(phases.len()), last);
    let mut phases = phases.into_iter();
    std::array::from_fn(|_| phases.next().unwrap_or(Phase { state: "", ball: Ball::Nobody, until: None }))
}

fn to_count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Inserts or updates rows of `case_file`, and also sets the columns `$also`.
macro_rules! files {
    ($also:literal) => {
        Insert {
            into: "INSERT INTO case_file (agency, owner, case_id, kind, status, facet, reference, short_reference, state, ball,
                                          until_at, state_2, ball_2, until_2, state_3, ball_3, due_at, handling, version,
                                          messages, missing, warnings, retain_until, erase_at, opened_at, changed_at, group_id,
                                          about_owner, about_id)",
            columns: 29,
            // Status and reference are those of the first message that says them; the rest is folded again.
            then: concat!(
                "ON CONFLICT (agency, owner, case_id, kind) DO UPDATE SET
             status = CASE case_file.status WHEN '' THEN excluded.status ELSE case_file.status END,
             reference = CASE case_file.reference WHEN '' THEN excluded.reference ELSE case_file.reference END,
             facet = excluded.facet, short_reference = excluded.short_reference, state = excluded.state,
             ball = excluded.ball, until_at = excluded.until_at, state_2 = excluded.state_2, ball_2 = excluded.ball_2,
             until_2 = excluded.until_2, state_3 = excluded.state_3, ball_3 = excluded.ball_3, due_at = excluded.due_at,
             handling = excluded.handling, version = excluded.version, messages = excluded.messages,
             missing = excluded.missing, warnings = excluded.warnings, retain_until = excluded.retain_until,
             erase_at = excluded.erase_at, changed_at = excluded.changed_at, group_id = excluded.group_id,
             about_owner = excluded.about_owner, about_id = excluded.about_id",
                $also
            ),
        }
    };
}

/// Cases to which a message with content was added: if they were erased, they are to be erased again.
const WITH_CONTENT: Insert = files!(", erased_at = NULL");

const WITHOUT_CONTENT: Insert = files!("");

const PARTY: Insert = Insert {
    into: "INSERT INTO case_party (agency, owner, case_id, kind, partner, opened_at)",
    columns: 6,
    then: "ON CONFLICT (agency, owner, case_id, kind, partner) DO NOTHING",
};

/// A row of the table `case_party`.
struct Party<'a> {
    key: &'a CaseKey,
    partner: &'a AgencyCode,
    opened: Timestamp,
}

impl Party<'_> {
    fn bind<'q>(&'q self, query: Binding<'q>) -> Binding<'q> {
        self.key.bind(query).bind(self.partner.as_str()).bind(self.opened.as_micros())
    }
}
