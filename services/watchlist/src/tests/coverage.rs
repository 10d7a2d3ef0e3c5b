//! What the issuers of alerts are told of the posts that screen for them.

use rovuma_api::answers::gateway::{ScreenedAlert, ScreenedIdentifier, ScreenedSubject};
use rovuma_schemas::{AgencyCode, CaseId, MessageId};

use super::support::Bench;
use crate::{alerts, coverage};

fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency")
}

/// An alert about a document with this number.
fn alert(owner: &str, id: MessageId, number: &str) -> ScreenedAlert {
    let identifier = ScreenedIdentifier {
        kind: "document".to_owned(),
        value: number.to_owned(),
        ..ScreenedIdentifier::default()
    };
    ScreenedAlert {
        case: CaseId { kind: "alert".to_owned(), owner: agency(owner), id },
        state: "active".to_owned(),
        short_reference: None,
        status: None,
        version: 1,
        handling: Some("H0".to_owned()),
        category: None,
        actions: vec!["seize".to_owned()],
        warnings: Vec::new(),
        ends: None,
        confirm_by: None,
        flagged_reason: None,
        subjects: vec![ScreenedSubject {
            kind: "document".to_owned(),
            names: vec!["SOMEBODY".to_owned()],
            identifiers: vec![identifier],
            ..ScreenedSubject::default()
        }],
    }
}

impl Bench {
    async fn hears(&self, alert: ScreenedAlert) {
        alerts::take(&self.watchlist, &agency("mz.prm"), vec![alert]).await.expect("stored");
    }

    /// What `mz.prm` has to say of an alert, if anything: its version, or 0 of one that was withdrawn.
    async fn due(&self, id: MessageId) -> Option<i64> {
        let rows: Vec<(Vec<u8>, i64)> =
            sqlx::query_as("SELECT case_id, version FROM coverage WHERE due = 1 AND agency = 'mz.prm'")
                .fetch_all(self.watchlist.store.read())
                .await
                .expect("reads");
        rows.into_iter().find(|(case, _)| case == id.as_bytes()).map(|(_, version)| version)
    }

    /// As if everything that is due had been signed.
    async fn all_said(&self) {
        let write = self.watchlist.store.write(|tx| {
            Box::pin(async move { sqlx::query("UPDATE coverage SET due = 0").execute(tx).await.map(|_| ()) })
        });
        write.await.expect("written");
    }
}

/// "What crosses there is screened for it" is said of what can be found, and of nothing else.
#[tokio::test]
async fn nothing_is_said_of_an_alert_that_cannot_be_found_at_a_post() {
    let bench = Bench::new().await;
    let draw = || MessageId::draw(bench.now());
    let (found, by_name, suspended, own) = (draw(), draw(), draw(), draw());
    bench.hears(alert("tz.tpf", found, "AB100001")).await;
    bench.hears(alert("tz.tpf", by_name, "")).await;
    bench
        .hears(ScreenedAlert { state: "suspended".to_owned(), ..alert("tz.tpf", suspended, "AB100002") })
        .await;
    bench.hears(alert("mz.prm", own, "AB100003")).await;
    assert_eq!(bench.due(found).await, Some(1));
    for id in [by_name, suspended, own] {
        assert_eq!(bench.due(id).await, None);
    }
    // Somebody confirms it.
    bench.hears(alert("tz.tpf", suspended, "AB100002")).await;
    assert_eq!(bench.due(suspended).await, Some(1));
}

#[tokio::test]
async fn what_ended_by_time_and_is_prolonged_is_said_again_and_a_withdrawal_stands() {
    let bench = Bench::new().await;
    let id = MessageId::draw(bench.now());
    let listed = alert("tz.tpf", id, "AB100001");
    let in_state = |state: &str| ScreenedAlert { state: state.to_owned(), ..listed.clone() };
    bench.hears(listed.clone()).await;
    bench.all_said().await;
    bench.hears(listed.clone()).await;
    assert_eq!(bench.due(id).await, None, "said once");
    bench.hears(in_state("expired")).await;
    assert_eq!(bench.due(id).await, None, "nobody is told of an end that everybody knows");
    bench.hears(listed.clone()).await;
    assert_eq!(bench.due(id).await, Some(1), "it may have been said of nothing before");
    bench.hears(in_state("withdrawn")).await;
    assert_eq!(bench.due(id).await, Some(0));
    bench.hears(listed).await;
    assert_eq!(bench.due(id).await, Some(0));
}

/// What was said stays said while the alert is suspended, or another agency knows that it is over: its withdrawal is asked for at the start.
#[tokio::test]
async fn what_was_said_is_not_forgotten_before_the_alert_ends() {
    let bench = Bench::new().await;
    let id = MessageId::draw(bench.now());
    let listed = alert("tz.tpf", id, "AB100001");
    bench.hears(listed.clone()).await;
    bench.all_said().await;
    let asked_for = async || {
        let mut conn = bench.watchlist.store.read().acquire().await.expect("reads");
        coverage::in_force(&mut conn, &agency("mz.prm"), None, 10).await.expect("reads").len()
    };
    bench.hears(ScreenedAlert { state: "suspended".to_owned(), ..listed.clone() }).await;
    assert_eq!(asked_for().await, 1);
    let withdrawn = ScreenedAlert { state: "withdrawn".to_owned(), ..listed.clone() };
    alerts::take(&bench.watchlist, &agency("mz.sernic"), vec![withdrawn.clone()]).await.expect("stored");
    bench.hears(listed).await;
    assert_eq!((asked_for().await, bench.due(id).await), (1, None));
    bench.hears(withdrawn).await;
    assert_eq!((asked_for().await, bench.due(id).await), (0, Some(0)));
}

/// A post that is added to the configuration speaks of every alert that is in force.
#[tokio::test]
async fn a_post_that_is_added_speaks_of_every_alert() {
    let bench = Bench::new().await;
    let draw = || MessageId::draw(bench.now());
    let (listed, withdrawn) = (draw(), draw());
    bench.hears(alert("tz.tpf", listed, "AB100001")).await;
    let over = ScreenedAlert { state: "withdrawn".to_owned(), ..alert("tz.tpf", withdrawn, "AB100002") };
    bench.hears(over).await;
    let compare = async |posts: &[&str]| {
        let posts: Vec<_> = posts.iter().map(|post| post.parse().expect("a post")).collect();
        let own = bench.watchlist.own().cloned().collect();
        coverage::compare_posts(&bench.watchlist.store, &posts, own, bench.now()).await.expect("compared");
    };
    compare(&["namoto_kilambo"]).await;
    bench.all_said().await;
    compare(&["namoto_kilambo"]).await;
    assert_eq!(bench.due(listed).await, None, "nothing is new");
    compare(&["namoto_kilambo", "negomano_mtambaswala"]).await;
    assert_eq!((bench.due(listed).await, bench.due(withdrawn).await), (Some(1), None));
}

/// One agency has the withdrawal before another has said that its posts screen for the alert: then that is said no more.
#[tokio::test]
async fn what_one_agency_knows_to_be_over_no_other_says_to_screen_for() {
    let bench = Bench::new().await;
    let id = MessageId::draw(bench.now());
    let withdrawn = ScreenedAlert { state: "withdrawn".to_owned(), ..alert("tz.tpf", id, "AB100001") };
    let other = agency("mz.sernic");
    for is_known_before in [false, true] {
        if !is_known_before {
            alerts::take(&bench.watchlist, &other, vec![alert("tz.tpf", id, "AB100001")])
                .await
                .expect("stored");
            bench.hears(withdrawn.clone()).await;
        }
        alerts::take(&bench.watchlist, &other, vec![alert("tz.tpf", id, "AB100001")]).await.expect("stored");
        let due: i64 =
            sqlx::query_scalar("SELECT count(*) FROM coverage WHERE due = 1 AND agency = 'mz.sernic'")
                .fetch_one(bench.watchlist.store.read())
                .await
                .expect("reads");
        assert_eq!(due, 0);
    }
}
