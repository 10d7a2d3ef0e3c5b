//! Histories that a witness refuses, and the evidence that both sides keep.

use std::time::Duration;

use rovuma_envelope::Signer as _;
use rovuma_runtime::{Clock as _, SecretFile};
use rovuma_schemas::{
    CountryCode, Line,
    audit::{AuditCheckpoint, RelayedWitnessMessage, WitnessAnswer, WitnessMessage},
};
use rovuma_tlog::{Head, LogPolicy, PolicyVerdict, UnverifiedCheckpoint};

use super::support::{Agreement, Installation, both, evidence, exchange, other_history, signed};
use crate::{intake::IntakeKeys, testing::start};

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
        other.publisher.publish_all().await.expect_err("it goes no further");
        assert_eq!(other.published("mz.audit/2026"), None, "{events}: nobody cosigned it");
        let log_key = agreed.log_keys[0].public_key();
        let evidence = evidence(&other).await;
        let heads: Vec<Head> = evidence.iter().map(|note| signed(note, log_key)).collect();
        assert!(heads[0].root != heads[1].root, "{events}: two heads of one log that cannot both be");
        // The other history sends its head several times, and never with a proof.
        let dishonest = other_history(&agreed, events).await;
        dishonest.clock.advance(Duration::from_secs(1));
        let tree = dishonest.tree().await;
        let checkpoint = String::from_utf8(tree.checkpoint).expect("text").parse().expect("a text");
        let asked = AuditCheckpoint { checkpoint, older: 0, proof: Vec::new() };
        for _ in 0..5 {
            let answer = tz.witness.respond(mz.country, &asked, tz.clock.now()).await.expect("judged");
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
async fn a_witness_that_sees_a_fork_reports_it_and_keeps_the_evidence() {
    let (agreed, mut mz, tz) = both().await;
    mz.write(2).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    // The same size, another root: no proof can help.
    let mut other = other_history(&agreed, 2).await;
    let posts = other.due_requests().await;
    let answer = tz.respond(other.country, &posts[0]).await;
    assert_eq!((answer.answer, answer.cosignature), (WitnessAnswer::Fork, None));
    assert_eq!(tz.alarms().await, ["fork mz.audit/2026 x1 open"]);
    let log_key = agreed.log_keys[0].public_key();
    let heads: Vec<Head> = evidence(&tz).await.iter().map(|note| signed(note, log_key)).collect();
    assert!(heads[0].size == heads[1].size && heads[0].root != heads[1].root);
    // The last cosigned head stays the same.
    mz.write(1).await.expect("written");
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
}

#[tokio::test]
async fn a_shrunken_log_is_refused_and_raises_alarms_on_both_sides() {
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
async fn an_older_head_that_was_cosigned_may_come_again() {
    let (_, mut mz, tz) = both().await;
    mz.write(2).await.expect("written");
    mz.publish().await;
    let first = mz.due_requests().await;
    tz.respond(mz.country, &first[0]).await;
    mz.clock.advance(Duration::from_secs(40));
    mz.write(2).await.expect("written");
    mz.publish().await;
    exchange(&mut mz, &tz).await;
    let again = tz.respond(mz.country, &first[0]).await;
    assert_eq!(again.answer, WitnessAnswer::Cosigned, "delivered once more by the broker");
    let memory = tz.dir.path().join("audit-log.witnessed/mz.audit-2026/checkpoint");
    let remembered = std::fs::read_to_string(memory).expect("remembered");
    assert!(remembered.starts_with("mz.audit/2026\n5\n"), "{remembered}");
    assert!(tz.alarms().await.is_empty());
}

#[tokio::test]
async fn a_head_that_is_of_no_log_of_the_partner_is_not_cosigned() {
    let (agreed, mut mz, mut tz) = both().await;
    mz.write(2).await.expect("written");
    mz.publish().await;
    let question = mz.due_requests().await.remove(0);
    let WitnessMessage::Checkpoint(asked) = &question.message else { panic!("a question") };
    // Another country's node sends it.
    let kenya: CountryCode = "ke".parse().expect("a country");
    assert!(tz.witness.respond(kenya, asked, start()).await.expect("judged").is_none());
    // A log that the policy does not name: another key.
    let stranger = Agreement::new().install("mz", None).await;
    stranger.write(2).await.expect("written");
    stranger.publish().await;
    let tree = stranger.tree().await;
    let mut forged = asked.clone();
    forged.checkpoint = String::from_utf8(tree.checkpoint).expect("text").parse().expect("a text");
    let answer = tz.witness.respond(mz.country, &forged, start()).await.expect("judged").expect("an answer");
    assert_eq!((answer.answer, answer.cosignature), (WitnessAnswer::UnknownLog, None));
    assert_eq!(tz.alarms().await, ["unknown_log mz.audit x1 open"]);
    // A cosignature by another key than the partner's does not count.
    tz.write(1).await.expect("written");
    tz.publish().await;
    let question = tz.due_requests().await.remove(0);
    let stranger = Agreement::new().install("mz", None).await;
    let mut answer = mz.respond(tz.country, &question).await;
    let forged = stranger_line(&agreed, &stranger, &question);
    answer.cosignature = forged;
    tz.handle_reply(mz.country, &answer).await;
    tz.publish().await;
    assert_eq!(tz.published("tz.audit/2026"), None, "nobody whom the policy names has cosigned");
}

/// A cosignature of the request's head by a witness with the partner's name and another key.
fn stranger_line(
    agreed: &Agreement,
    stranger: &Installation,
    question: &RelayedWitnessMessage,
) -> Option<Line> {
    let WitnessMessage::Checkpoint(asked) = &question.message else { panic!("a question") };
    let policy: LogPolicy = agreed.policy.parse().expect("a policy");
    let read = UnverifiedCheckpoint::read(asked.checkpoint.as_str().as_bytes()).expect("a checkpoint");
    let PolicyVerdict::Unwitnessed { checkpoint, .. } = policy.judge(read) else {
        panic!("not cosigned yet")
    };
    let key = IntakeKeys::load_signing_key(&SecretFile::new(stranger.dir.path().join("witness.pem")))
        .expect("a key");
    let line = rovuma_tlog::cosign(&checkpoint, "mz.audit", &key, 1_700_000_000).expect("signed");
    String::from_utf8(line).expect("text").trim_end().parse().ok()
}

#[tokio::test]
async fn a_partner_that_shows_a_head_our_log_never_signed_raises_no_alarm() {
    let (_, mut mz, tz) = both().await;
    mz.write(2).await.expect("written");
    mz.publish().await;
    let question = mz.due_requests().await.remove(0);
    let mut answer = tz.respond(mz.country, &question).await;
    answer.answer = WitnessAnswer::Fork;
    answer.cosignature = None;
    answer.held =
        Some("mz.audit/2026\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".parse().expect("a text"));
    mz.handle_reply(tz.country, &answer).await;
    assert!(mz.alarms().await.is_empty());
}
