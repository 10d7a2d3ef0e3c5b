//! Two audit services with real stores and files, and what they say to each other handed over by hand.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rovuma_envelope::{SealingKey, Signer as _, SigningKey};
use rovuma_runtime::{Clock as _, ManualClock, SecretFile};
use rovuma_schemas::{
    CountryCode,
    audit::{AuditAction, AuditCheckpoint, AuditCosignature, WitnessAnswer, WitnessPost, WitnessWord},
};
use rovuma_store::{FutureExt, Store, StoreConfig, WriteError};
use rovuma_tlog::{CHECKPOINT_PATH, Head, NoteKey, Policy, UnverifiedCheckpoint, Verdict};
use sqlx::Row;

use super::{Asker, Replies, Witness};
use crate::{
    audit::{abandon_after_restore, begin},
    config::{PublishConfig, WitnessConfig},
    error::DbError,
    heads::HeadKeeping,
    intake::Keys,
    log::{MIGRATIONS, Sequencer, Tree},
    own::{self, OwnEvent, OwnSource},
    publish::Publisher,
    testing::{secret, start},
    witness::Watch,
};

/// One country's audit service, but for its broker.
struct Side {
    country: CountryCode,
    dir: tempfile::TempDir,
    clock: ManualClock,
    store: Store,
    sequencer: Arc<Sequencer>,
    policy: Arc<Policy>,
    publisher: Publisher,
    witness: Witness,
    replies: Replies,
    asker: Asker,
}

/// The keys of both countries' logs and witnesses, and the policy of both.
struct Agreed {
    log_keys: [SigningKey; 2],
    policy: String,
    witness_pems: [String; 2],
    log_pems: [String; 2],
}

const COUNTRIES: [&str; 2] = ["mz", "tz"];

/// An alarm after so long without the partner.
const ALARM_AFTER: Duration = Duration::from_secs(300);

impl Agreed {
    fn new() -> Self {
        let pem = |_| SigningKey::generate_pem().expect("a key").to_string();
        let (log_pems, witness_pems) = ([0, 1].map(pem), [0, 1].map(pem));
        let key = |pem: &String| SigningKey::from_pkcs8_pem(pem).expect("a key");
        let mut policy = String::new();
        for (place, country) in COUNTRIES.into_iter().enumerate() {
            let log = key(&log_pems[place]);
            for origin in [format!("{country}.audit/2026"), format!("{country}.audit/2027")] {
                let log = NoteKey::of_log(&origin, log.public_key()).expect("a key");
                policy += &format!("log {log}\n");
            }
            let witness = key(&witness_pems[place]);
            let witness =
                NoteKey::of_cosigner(&format!("{country}.audit"), witness.public_key()).expect("a key");
            policy += &format!("witness {country} {witness}\n");
        }
        policy += "group countries all mz tz\nquorum countries\n";
        Self { log_keys: [key(&log_pems[0]), key(&log_pems[1])], policy, witness_pems, log_pems }
    }

    async fn side(&self, country: &str, fail_closed_after: Option<Duration>) -> Side {
        let place = COUNTRIES.iter().position(|known| *known == country).expect("one of two");
        let dir = tempfile::tempdir().expect("a folder");
        secret(&dir.path().join("log.pem"), &self.log_pems[place]);
        secret(&dir.path().join("witness.pem"), &self.witness_pems[place]);
        std::fs::write(dir.path().join("policy"), &self.policy).expect("written");
        let clock = ManualClock::at(start());
        Side::open(country, dir, clock, fail_closed_after).await
    }
}

impl Side {
    async fn open(
        country: &str,
        dir: tempfile::TempDir,
        clock: ManualClock,
        fail_closed_after: Option<Duration>,
    ) -> Self {
        let url = rovuma_lab::postgres::test_store(dir.path(), "log").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[MIGRATIONS]).await.expect("opens");
        let file = |name: &str| SecretFile::new(dir.path().join(name));
        let sequencer = Arc::new(Sequencer {
            own: OwnSource { source: format!("{country}.audit"), epoch: store.identity() },
            log_key: Arc::new(Keys::signing(&file("log.pem")).expect("a key")),
            payload_key: crate::log::PayloadKey::from_text(&SealingKey::generate().to_text()).expect("a key"),
            watch: Watch::default(),
            fail_closed_after,
        });
        let country: CountryCode = country.parse().expect("a country");
        let publish = PublishConfig { folder: dir.path().join("audit-log"), every_ms: 500 };
        let policy_file = dir.path().join("policy");
        let witness = WitnessConfig {
            policy_file,
            key_file: file("witness.pem"),
            alarm_after_s: ALARM_AFTER.as_secs(),
            fail_closed_after_s: None,
        };
        let settings = (&publish, Some(&witness));
        let heads = HeadKeeping::load(country, settings, &store, &sequencer, &clock.shared()).expect("loads");
        let publisher = heads.publisher();
        let (witness, replies, asker) = heads.parts().expect("it witnesses");
        let policy = std::fs::read_to_string(dir.path().join("policy")).expect("the policy");
        let policy = Arc::new(policy.parse().expect("a policy"));
        Self { country, dir, clock, store, sequencer, policy, publisher, witness, replies, asker }
    }

    async fn reopened(self) -> Self {
        let Self { country, dir, clock, store, sequencer, publisher, witness, replies, asker, .. } = self;
        let fail_closed_after = sequencer.fail_closed_after;
        drop((store, sequencer, publisher, witness, replies, asker));
        Self::open(country.as_str(), dir, clock, fail_closed_after).await
    }

    /// Started anew as the service is, after its store got another name.
    async fn begun_anew(self) -> Self {
        let side = self.reopened().await;
        let now = side.clock.now();
        let restored = abandon_after_restore(&side.store, now).await.expect("looked");
        begin(&side.store, &side.sequencer, restored, now).await.expect("begun");
        side
    }

    /// Writes so many events of its own.
    async fn write(&self, count: u64) -> Result<(), WriteError<DbError>> {
        let (sequencer, now) = (Arc::clone(&self.sequencer), self.clock.now());
        let write = self.store.write(move |tx| {
            async move {
                let mut appender = sequencer.begin(tx, now).await?;
                for _ in 0..count {
                    let event = OwnEvent::of_service(&sequencer.own.source, AuditAction::AuditRead);
                    own::record(tx, &mut appender, event).await?;
                }
                appender.finish(tx).await
            }
            .boxed()
        });
        write.await
    }

    async fn tree(&self) -> Tree {
        Tree::all(self.store.read()).await.expect("reads").pop().expect("a tree")
    }

    /// What stands in the log's folder as its checkpoint.
    fn published(&self, origin: &str) -> Option<Vec<u8>> {
        std::fs::read(self.folder(origin).join(CHECKPOINT_PATH)).ok()
    }

    fn folder(&self, origin: &str) -> PathBuf {
        self.dir.path().join("audit-log").join(origin)
    }

    fn is_good(&self, note: &[u8]) -> bool {
        let read = UnverifiedCheckpoint::read(note).expect("a checkpoint");
        matches!(self.policy.judge(read), Verdict::Good(_))
    }

    async fn publish(&self) {
        self.publisher.step().await.expect("made known");
    }

    async fn due(&mut self) -> Vec<WitnessPost> {
        self.asker.due().await.expect("asks")
    }

    /// `kind origin xtimes`, open ones marked.
    async fn alarms(&self) -> Vec<String> {
        let rows = sqlx::query("SELECT kind, origin, times, closed_at FROM log_alarm ORDER BY alarm_id");
        let rows = rows.fetch_all(self.store.read()).await.expect("reads");
        let shown = |row: &sqlx::any::AnyRow| {
            let (kind, origin, times): (String, String, i64) = (row.get(0), row.get(1), row.get(2));
            let state = if row.get::<Option<i64>, _>(3).is_some() { "closed" } else { "open" };
            format!("{kind} {origin} x{times} {state}")
        };
        rows.iter().map(shown).collect()
    }

    async fn answer(&self, partner: CountryCode, post: &WitnessPost) -> AuditCosignature {
        let WitnessWord::Checkpoint(asked) = &post.word else { panic!("not a question") };
        let answer = self.witness.answer(partner, asked, self.clock.now()).await.expect("judged");
        answer.expect("an answer")
    }

    async fn take(&self, partner: CountryCode, reply: &AuditCosignature) {
        self.replies.take(partner, reply, self.clock.now()).await.expect("taken");
    }
}

/// Everything that `asking` has to ask is answered by `witness`, until there is nothing more to ask.
async fn exchange(asking: &mut Side, witness: &Side) -> Vec<WitnessAnswer> {
    let mut answers = Vec::new();
    loop {
        let posts = asking.due().await;
        if posts.is_empty() {
            return answers;
        }
        for post in posts {
            let answer = witness.answer(asking.country, &post).await;
            answers.push(answer.answer.clone());
            asking.take(witness.country, &answer).await;
        }
    }
}

async fn both() -> (Agreed, Side, Side) {
    let agreed = Agreed::new();
    let (mz, tz) = (agreed.side("mz", None).await, agreed.side("tz", None).await);
    (agreed, mz, tz)
}

#[tokio::test]
async fn a_head_is_good_and_published_once_the_other_country_has_cosigned() {
    let (_, mut mz, tz) = both().await;
    mz.write(3).await.expect("written");
    mz.publish().await;
    assert_eq!(mz.published("mz.audit/2026"), None, "nobody has cosigned yet");
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
    mz.publish().await;
    let note = mz.published("mz.audit/2026").expect("published");
    assert!(mz.is_good(&note) && tz.is_good(&note));
    let head = UnverifiedCheckpoint::read(&note).expect("a checkpoint").unverified_head().clone();
    assert_eq!(head, mz.tree().await.head());

    // It goes on from there, with proofs from what was cosigned last.
    for events in [1, 300, 2] {
        mz.write(events).await.expect("written");
        mz.publish().await;
        assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
        mz.publish().await;
    }
    let note = mz.published("mz.audit/2026").expect("published");
    assert_eq!(UnverifiedCheckpoint::read(&note).expect("a checkpoint").unverified_head().size, 307);
    assert!(mz.alarms().await.is_empty() && tz.alarms().await.is_empty());
    assert!(mz.folder("mz.audit/2026").join("tile/0/000").is_file());
    assert!(
        !mz.folder("mz.audit/2026").join("tile/0/000.p").exists(),
        "partial tiles that are of no more use"
    );
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_and_given_again() {
    let (_, mut mz, tz) = both().await;
    mz.write(1).await.expect("written");
    mz.publish().await;
    let lost = mz.due().await;
    tz.answer(mz.country, &lost[0]).await;
    assert!(mz.due().await.is_empty(), "it is under way");
    mz.clock.advance(Duration::from_secs(5));
    let again = mz.due().await;
    assert_eq!(again, lost);
    let answer = tz.answer(mz.country, &again[0]).await;
    assert_eq!(answer.answer, WitnessAnswer::Cosigned);
    mz.take(tz.country, &answer).await;
    mz.publish().await;
    assert!(mz.published("mz.audit/2026").is_some_and(|note| mz.is_good(&note)));
}

#[tokio::test]
async fn a_partner_whose_store_is_new_is_asked_from_the_beginning() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(4).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    let new = agreed.side("tz", None).await;
    mz.write(4).await.expect("written");
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &new).await, [WitnessAnswer::ProofNeeded, WitnessAnswer::Cosigned]);
}

#[tokio::test]
async fn ten_hours_without_the_partner_are_told_and_one_answer_makes_up_for_all() {
    let (_, mut mz, tz) = both().await;
    mz.write(1).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    mz.publish().await;
    let since = mz.clock.now();
    let mut asked = 0;
    for _ in 0..10 * 60 {
        mz.write(2).await.expect("written");
        mz.publish().await;
        asked += mz.due().await.len();
        mz.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(mz.sequencer.watch.unwitnessed_since(), Some(since));
    let alarms = mz.alarms().await;
    assert!(alarms.len() == 1 && alarms[0].starts_with("unwitnessed mz.audit/2026 x"), "{alarms:?}");
    assert!((60..=700).contains(&asked), "asked {asked} times");
    let note = mz.published("mz.audit/2026").expect("published");
    assert!(!mz.is_good(&note), "what is published says itself that nobody cosigned");

    tz.clock.advance(Duration::from_secs(36_000));
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
    // That the alarm is over is an event too, and has its own head.
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
    mz.publish().await;
    assert_eq!(mz.due().await, []);
    assert_eq!(mz.sequencer.watch.unwitnessed_since(), None);
    assert!(mz.alarms().await[0].ends_with("closed"));
    let note = mz.published("mz.audit/2026").expect("published");
    assert!(mz.is_good(&note));
}

#[tokio::test]
async fn a_log_that_is_to_fail_closed_takes_nothing_in_until_the_partner_is_back() {
    let agreed = Agreed::new();
    let (mut mz, tz) =
        (agreed.side("mz", Some(Duration::from_secs(14_400))).await, agreed.side("tz", None).await);
    mz.write(1).await.expect("written");
    mz.publish().await;
    for _ in 0..5 {
        mz.due().await;
        mz.clock.advance(Duration::from_secs(3_600));
    }
    let refused = mz.write(1).await.expect_err("four hours have passed");
    assert!(matches!(refused, WriteError::Job(DbError::Unwitnessed)), "{refused}");
    // It stays closed when it starts anew, asks all the same, and nothing that comes meanwhile stands in the way.
    let mut mz = mz.reopened().await;
    mz.sequencer.watch.look(mz.store.read(), mz.clock.now()).await.expect("looks");
    mz.write(1).await.expect_err("as before");
    let stranger = Agreed::new().side("tz", None).await;
    stranger.write(2).await.expect("written");
    let checkpoint =
        String::from_utf8(stranger.tree().await.checkpoint).expect("text").parse().expect("a text");
    let unknown = AuditCheckpoint { checkpoint, older: 0, proof: Vec::new() };
    let answer =
        mz.witness.answer(tz.country, &unknown, mz.clock.now()).await.expect("written down all the same");
    assert_eq!(answer.expect("an answer").answer, WitnessAnswer::UnknownLog);
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
    mz.due().await;
    mz.write(1).await.expect("the partner is back");
}

#[tokio::test]
async fn a_log_that_lost_leaves_goes_on_as_another_that_both_countries_have_to_name() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(4).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    mz.publish().await;
    // An older copy of the store beside what was published.
    let copy = other_history(&agreed, 1).await;
    let folder = copy.folder("mz.audit/2026");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy(mz.folder("mz.audit/2026").join(CHECKPOINT_PATH), folder.join(CHECKPOINT_PATH))
        .expect("copied");
    copy.publisher.check().await.expect_err("the store is an older copy");
    // `rovumactl store restored`, or the store itself, gives it a new name: nothing more is appended as if nothing were.
    let renamed = copy.store.write(|tx| async move { rovuma_store::renew_identity(tx).await }.boxed());
    renamed.await.expect("renamed");
    let refused = copy.write(1).await.expect_err("another store");
    assert!(matches!(refused, WriteError::Job(DbError::PutBack)), "{refused}");

    let mut copy = copy.begun_anew().await;
    copy.publisher.check().await.expect("what was published is of a tree that was abandoned");
    let trees = Tree::all(copy.store.read()).await.expect("reads");
    let shown: Vec<_> = trees.iter().map(|tree| (tree.origin.as_str(), tree.is_abandoned)).collect();
    assert_eq!(shown, [("mz.audit/2026", true), ("mz.audit/2026-2", false)]);
    copy.publish().await;
    assert_eq!(exchange(&mut copy, &tz).await, [], "no policy names it, ours not either");
    assert_eq!(copy.alarms().await, ["unknown_log mz.audit/2026-2 x1 open"]);

    // People put the new name into the policy of both countries.
    let log = NoteKey::of_log("mz.audit/2026-2", agreed.log_keys[0].public_key()).expect("a key");
    let named = format!("log {log}\n{}", agreed.policy);
    for side in [&copy, &tz] {
        std::fs::write(side.dir.path().join("policy"), &named).expect("written");
    }
    let (mut copy, tz) = (copy.reopened().await, tz.reopened().await);
    copy.clock.advance(Duration::from_secs(31));
    copy.write(1).await.expect("written");
    copy.publish().await;
    assert_eq!(exchange(&mut copy, &tz).await, [WitnessAnswer::Cosigned]);
    copy.publish().await;
    assert!(copy.published("mz.audit/2026-2").is_some_and(|note| copy.is_good(&note)));
    assert_eq!(copy.alarms().await, ["unknown_log mz.audit/2026-2 x1 closed"]);
}

/// A second history of the same log, as somebody with the log's key and a copy of the store could make it.
async fn other_history(agreed: &Agreed, events: u64) -> Side {
    let other = agreed.side("mz", None).await;
    other.clock.advance(Duration::from_secs(1));
    other.write(events).await.expect("written");
    other.publish().await;
    other
}

#[tokio::test]
async fn a_fork_is_refused_and_kept_as_evidence_on_both_sides() {
    for events in [2, 3, 9] {
        let (agreed, mut mz, tz) = both().await;
        mz.write(2).await.expect("written");
        mz.publish().await;
        exchange(&mut mz, &tz).await;
        let mut other = other_history(&agreed, events).await;
        let answers = exchange(&mut other, &tz).await;
        let last = answers.last().expect("an answer");
        assert!(matches!(last, WitnessAnswer::Fork | WitnessAnswer::ProofNeeded), "{events}: {answers:?}");
        assert_eq!(other.alarms().await, ["fork mz.audit/2026 x1 open"], "{events}: the log's side");
        other.publish().await;
        assert_eq!(other.published("mz.audit/2026"), None, "{events}: nobody cosigned it");
        let log_key = agreed.log_keys[0].public_key();
        let evidence = evidence(&other).await;
        let heads: Vec<Head> = evidence.iter().map(|note| signed(note, log_key)).collect();
        assert!(heads[0].root != heads[1].root, "{events}: two heads of one log that cannot both be");
        // One that does not care asks again and again, and never proves it.
        let dishonest = other_history(&agreed, events).await;
        dishonest.clock.advance(Duration::from_secs(1));
        let tree = dishonest.tree().await;
        let checkpoint = String::from_utf8(tree.checkpoint).expect("text").parse().expect("a text");
        let asked = AuditCheckpoint { checkpoint, older: 0, proof: Vec::new() };
        for _ in 0..5 {
            let answer = tz.witness.answer(mz.country, &asked, tz.clock.now()).await.expect("judged");
            assert_eq!(answer.expect("an answer").cosignature, None);
            tz.clock.advance(Duration::from_secs(61));
        }
        let alarm = tz.alarms().await.pop().expect("an alarm");
        let kind = if events == 2 { "fork" } else { "unproven" };
        assert!(
            alarm.starts_with(&format!("{kind} mz.audit/2026 ")),
            "{events}: the witness's side: {alarm}"
        );
    }
}

#[tokio::test]
async fn a_witness_that_is_shown_a_fork_says_so_and_keeps_it() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(2).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    // The same size, another root: no proof can help.
    let mut other = other_history(&agreed, 2).await;
    let posts = other.due().await;
    let answer = tz.answer(other.country, &posts[0]).await;
    assert_eq!((answer.answer, answer.cosignature), (WitnessAnswer::Fork, None));
    assert_eq!(tz.alarms().await, ["fork mz.audit/2026 x1 open"]);
    let log_key = agreed.log_keys[0].public_key();
    let heads: Vec<Head> = evidence(&tz).await.iter().map(|note| signed(note, log_key)).collect();
    assert!(heads[0].size == heads[1].size && heads[0].root != heads[1].root);
    // What it has cosigned stays what it was.
    mz.write(1).await.expect("written");
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
}

#[tokio::test]
async fn a_shrunken_log_is_refused_and_alarmed_on_both_sides() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(9).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    let mut copy = other_history(&agreed, 3).await;
    let answers = exchange(&mut copy, &tz).await;
    assert_eq!(answers, [WitnessAnswer::Shrunken]);
    assert_eq!(tz.alarms().await, ["shrunken mz.audit/2026 x1 open"]);
    assert_eq!(copy.alarms().await, ["shrunken mz.audit/2026 x1 open"]);
}

#[tokio::test]
async fn a_witness_whose_store_was_put_back_remembers_what_it_cosigned() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(9).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    let forgotten =
        tz.store.write(|tx| async move { sqlx::query("DELETE FROM witnessed").execute(tx).await }.boxed());
    forgotten.await.expect("forgotten");
    // Another history, larger than what was cosigned, from the beginning.
    let other = other_history(&agreed, 20).await;
    let checkpoint = String::from_utf8(other.tree().await.checkpoint).expect("text").parse().expect("a text");
    let asked = AuditCheckpoint { checkpoint, older: 0, proof: Vec::new() };
    let answer = tz.witness.answer(mz.country, &asked, tz.clock.now()).await.expect("judged");
    let answer = answer.expect("an answer");
    assert_eq!((answer.answer, answer.cosignature), (WitnessAnswer::ProofNeeded, None));
    assert!(answer.held.is_some_and(|held| held.as_str().starts_with("mz.audit/2026\n10\n")));
    mz.write(1).await.expect("written");
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned], "the true one goes on");
    // What stands in the memory's place and is no head of the log is not taken for one: nothing is cosigned then.
    let memory = tz.dir.path().join("audit-log.witnessed/mz.audit-2026/checkpoint");
    std::fs::write(memory, "nothing").expect("written");
    tz.witness.answer(mz.country, &asked, tz.clock.now()).await.expect_err("no memory, no word");
}

#[tokio::test]
async fn an_older_head_that_was_cosigned_may_come_again() {
    let (_, mut mz, tz) = both().await;
    mz.write(2).await.expect("written");
    mz.publish().await;
    let first = mz.due().await;
    tz.answer(mz.country, &first[0]).await;
    mz.clock.advance(Duration::from_secs(40));
    mz.write(2).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    let again = tz.answer(mz.country, &first[0]).await;
    assert_eq!(again.answer, WitnessAnswer::Cosigned, "delivered once more by the broker");
    let memory = tz.dir.path().join("audit-log.witnessed/mz.audit-2026/checkpoint");
    let remembered = std::fs::read_to_string(memory).expect("remembered");
    assert!(remembered.starts_with("mz.audit/2026\n5\n"), "{remembered}");
    assert!(tz.alarms().await.is_empty());
}

#[tokio::test]
async fn what_is_not_of_a_log_of_the_partner_is_not_cosigned() {
    let (agreed, mut mz, mut tz) = both().await;
    mz.write(2).await.expect("written");
    mz.publish().await;
    let question = mz.due().await.remove(0);
    let WitnessWord::Checkpoint(asked) = &question.word else { panic!("a question") };
    // Sent by another country's node.
    let kenya: CountryCode = "ke".parse().expect("a country");
    assert!(tz.witness.answer(kenya, asked, start()).await.expect("judged").is_none());
    // A log that the policy does not name: another key.
    let stranger = Agreed::new().side("mz", None).await;
    stranger.write(2).await.expect("written");
    stranger.publish().await;
    let tree = stranger.tree().await;
    let mut forged = asked.clone();
    forged.checkpoint = String::from_utf8(tree.checkpoint).expect("text").parse().expect("a text");
    let answer = tz.witness.answer(mz.country, &forged, start()).await.expect("judged").expect("an answer");
    assert_eq!((answer.answer, answer.cosignature), (WitnessAnswer::UnknownLog, None));
    assert_eq!(tz.alarms().await, ["unknown_log mz.audit x1 open"]);
    // A cosignature by another key than the partner's is none.
    tz.write(1).await.expect("written");
    tz.publish().await;
    let question = tz.due().await.remove(0);
    let stranger = Agreed::new().side("mz", None).await;
    let mut answer = mz.answer(tz.country, &question).await;
    let forged = stranger_line(&agreed, &stranger, &question);
    answer.cosignature = forged;
    tz.take(mz.country, &answer).await;
    tz.publish().await;
    assert_eq!(tz.published("tz.audit/2026"), None, "nobody whom the policy names has cosigned");
}

/// A cosignature of the head asked about, by a witness of the partner's name with another key.
fn stranger_line(agreed: &Agreed, stranger: &Side, question: &WitnessPost) -> Option<rovuma_schemas::Line> {
    let WitnessWord::Checkpoint(asked) = &question.word else { panic!("a question") };
    let policy: Policy = agreed.policy.parse().expect("a policy");
    let read = UnverifiedCheckpoint::read(asked.checkpoint.as_str().as_bytes()).expect("a checkpoint");
    let Verdict::Unwitnessed { checkpoint, .. } = policy.judge(read) else { panic!("not cosigned yet") };
    let key = Keys::signing(&SecretFile::new(stranger.dir.path().join("witness.pem"))).expect("a key");
    let line = rovuma_tlog::cosign(&checkpoint, "mz.audit", &key, 1_700_000_000).expect("signed");
    String::from_utf8(line).expect("text").trim_end().parse().ok()
}

#[tokio::test]
async fn a_partner_that_shows_what_our_log_never_signed_raises_no_alarm() {
    let (_, mut mz, tz) = both().await;
    mz.write(2).await.expect("written");
    mz.publish().await;
    let question = mz.due().await.remove(0);
    let mut answer = tz.answer(mz.country, &question).await;
    answer.answer = WitnessAnswer::Fork;
    answer.cosignature = None;
    answer.held =
        Some("mz.audit/2026\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".parse().expect("a text"));
    mz.take(tz.country, &answer).await;
    assert!(mz.alarms().await.is_empty());
}

#[tokio::test]
async fn a_year_begins_a_log_that_holds_the_one_before_fast() {
    let (_, mut mz, tz) = both().await;
    mz.write(5).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    mz.write(2).await.expect("written");
    for side in [&mz, &tz] {
        side.clock.advance(Duration::from_secs(60 * 24 * 3_600));
    }
    mz.write(1).await.expect("written");
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned, WitnessAnswer::Cosigned]);
    mz.publish().await;
    let trees = Tree::all(mz.store.read()).await.expect("reads");
    let shown: Vec<_> =
        trees.iter().map(|tree| (tree.origin.as_str(), tree.first_index, tree.edge.size())).collect();
    assert_eq!(shown, [("mz.audit/2026", 0, 8), ("mz.audit/2027", 8, 2)]);
    for tree in &trees {
        let note = mz.published(&tree.origin).expect("published");
        assert!(mz.is_good(&note), "{}", tree.origin);
        assert_eq!(UnverifiedCheckpoint::read(&note).expect("read").unverified_head(), &tree.head());
    }
    // A clock that goes back does not bring the old year back.
    mz.clock.set(start());
    mz.write(1).await.expect("written");
    assert_eq!(mz.tree().await.origin, "mz.audit/2027");
}

#[tokio::test]
async fn a_store_that_lacks_what_was_published_stops_the_service() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(4).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    mz.publish().await;
    let mz = mz.reopened().await;
    // What was published lies beside an older copy of the store, or beside one with another history.
    for (events, word) in [(1, "older copy"), (4, "was changed"), (9, "was changed")] {
        let other = other_history(&agreed, events).await;
        let folder = other.folder("mz.audit/2026");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::copy(mz.folder("mz.audit/2026").join(CHECKPOINT_PATH), folder.join(CHECKPOINT_PATH))
            .expect("copied");
        let fault = other.publisher.check().await.expect_err("does not go together").to_string();
        assert!(fault.contains(word), "{events}: {fault}");
    }
    let note = mz.published("mz.audit/2026").expect("published");
    let bent = String::from_utf8(note).expect("text").replacen("\n5\n", "\n4\n", 1);
    std::fs::write(mz.folder("mz.audit/2026").join(CHECKPOINT_PATH), bent).expect("written");
    let fault = mz.publisher.check().await.expect_err("not what was signed").to_string();
    assert!(fault.contains("is not a checkpoint of mz.audit/2026"), "{fault}");
}

#[tokio::test]
async fn the_files_are_made_again_from_the_store() {
    let (_, mut mz, tz) = both().await;
    mz.write(700).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    mz.publish().await;
    let before = files(&mz.folder("mz.audit/2026"));
    std::fs::remove_dir_all(mz.folder("mz.audit/2026")).expect("removed");
    let mz = mz.reopened().await;
    mz.publish().await;
    assert_eq!(files(&mz.folder("mz.audit/2026")), before);
    assert_eq!(
        before.len(),
        3 * 2 + 1 + 1,
        "tiles and bundles of 701 leaves, one tile above, and the checkpoint"
    );
}

fn files(folder: &std::path::Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).expect("a file");
                found.insert(path, bytes);
            }
        }
    }
    found
}

/// The two heads that an alarm has kept.
async fn evidence(side: &Side) -> Vec<String> {
    let row = sqlx::query("SELECT evidence FROM log_alarm ORDER BY alarm_id LIMIT 1");
    let row = row.fetch_one(side.store.read()).await.expect("an alarm");
    let evidence: String = row.get(0);
    let origin = "mz.audit/2026\n";
    evidence.split(origin).skip(1).map(|note| format!("{origin}{}\n", note.trim_end())).collect()
}

fn signed(note: &str, log_key: &rovuma_envelope::PublicKey) -> Head {
    crate::publish::signed_head(note.as_bytes(), "mz.audit/2026", log_key).expect("signed by the log")
}
