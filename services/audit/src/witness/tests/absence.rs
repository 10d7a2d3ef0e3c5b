//! The log while the partner is away.

use std::time::Duration;

use rovuma_runtime::Clock as _;
use rovuma_schemas::audit::{AuditCheckpoint, WitnessAnswer};
use rovuma_store::WriteError;

use super::support::{Agreement, both, exchange};
use crate::error::DbError;

#[tokio::test]
async fn ten_hours_without_the_partner_are_an_alarm_and_one_reply_settles_all() {
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
        asked += mz.due_requests().await.len();
        mz.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(mz.sequencer.witness_status.unwitnessed_since(), Some(since));
    let alarms = mz.alarms().await;
    assert!(alarms.len() == 1 && alarms[0].starts_with("unwitnessed mz.audit/2026 x"), "{alarms:?}");
    assert!((60..=700).contains(&asked), "asked {asked} times");
    let note = mz.published("mz.audit/2026").expect("published");
    assert!(!mz.is_good(&note), "what is published says itself that nobody cosigned");

    tz.clock.advance(Duration::from_secs(36_000));
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
    // The end of the alarm is an event too, and has its own head.
    mz.publish().await;
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
    mz.publish().await;
    assert_eq!(mz.due_requests().await, []);
    assert_eq!(mz.sequencer.witness_status.unwitnessed_since(), None);
    assert!(mz.alarms().await[0].ends_with("closed"));
    let note = mz.published("mz.audit/2026").expect("published");
    assert!(mz.is_good(&note));
}

#[tokio::test]
async fn a_log_that_is_to_fail_closed_appends_nothing_until_the_partner_is_back() {
    let agreed = Agreement::new();
    let (mut mz, tz) =
        (agreed.install("mz", Some(Duration::from_secs(14_400))).await, agreed.install("tz", None).await);
    mz.write(1).await.expect("written");
    mz.publish().await;
    for _ in 0..5 {
        mz.due_requests().await;
        mz.clock.advance(Duration::from_secs(3_600));
    }
    let refused = mz.write(1).await.expect_err("four hours have passed");
    assert!(matches!(refused, WriteError::Job(DbError::Unwitnessed)), "{refused}");
    // It stays closed after a restart, still requests cosignatures, and deliveries do not hinder that.
    let mut mz = mz.reopened().await;
    mz.sequencer.witness_status.refresh(mz.store.read(), mz.clock.now()).await.expect("looks");
    mz.write(1).await.expect_err("as before");
    let stranger = Agreement::new().install("tz", None).await;
    stranger.write(2).await.expect("written");
    let checkpoint =
        String::from_utf8(stranger.tree().await.checkpoint).expect("text").parse().expect("a text");
    let unknown = AuditCheckpoint { checkpoint, older: 0, proof: Vec::new() };
    let answer =
        mz.witness.respond(tz.country, &unknown, mz.clock.now()).await.expect("written down all the same");
    assert_eq!(answer.expect("an answer").answer, WitnessAnswer::UnknownLog);
    assert_eq!(exchange(&mut mz, &tz).await, [WitnessAnswer::Cosigned]);
    mz.due_requests().await;
    mz.write(1).await.expect("the partner is back");
}

#[tokio::test]
async fn a_partner_that_does_not_reply_gets_requests_at_growing_intervals() {
    let (_, mut mz, _) = both().await;
    let mut asked = Vec::new();
    for second in 0..600 {
        if second % 40 == 0 {
            // A newer head does not bring the next request forward.
            mz.write(1).await.expect("written");
            mz.publish().await;
        }
        if !mz.due_requests().await.is_empty() {
            asked.push(second);
        }
        mz.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(asked, [0, 4, 12, 28, 60, 120, 180, 240, 300, 360, 420, 480, 540]);
}
