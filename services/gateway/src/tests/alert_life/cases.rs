//! What a case is, whatever the order of arrival, and who sees what of it.

use std::collections::BTreeMap;

use rovuma_envelope::Origin;
use rovuma_schemas::{CaseId, CaseSoFar, MessageId};
use serde_json::{Value, json};

use super::{
    super::support::{Fixture, agency, motorcycle},
    said_by_tpf, states, withdraw,
};
use crate::cases::{kept::CaseKey, project};

fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(of - 1);
    let insert = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.insert(at, of - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..of).map(move |at| insert(order, at))).collect()
}

/// The case without what names it or says when it came.
fn comparable(mut case: Value) -> Value {
    for member in ["case", "short_reference", "opened_at", "changed_at"] {
        case["case"].as_object_mut().expect("an object").remove(member);
    }
    case
}

#[tokio::test]
async fn every_order_of_arrival_with_duplicates_gives_the_same_case() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let origin = Origin::Ingress(agency("tz.tpf").country());
    let mut number = 0;
    let mut cases: BTreeMap<String, usize> = BTreeMap::new();
    for order in permutations(4) {
        let (opener, messages) = said_by_tpf(&fixture, &mut number);
        for index in &order {
            fixture.deliver("mz.prm", origin, messages[*index].clone()).await;
            fixture.deliver("mz.prm", origin, messages[order[0]].clone()).await;
        }
        let case = officer.case("tz.tpf", &opener.to_string()).await;
        *cases.entry(comparable(case).to_string()).or_default() += 1;
        // Together in one transaction, as a bundle brings them.
        let (opener, messages) = said_by_tpf(&fixture, &mut number);
        let together = order.iter().map(|index| messages[*index].clone()).collect();
        fixture.deliver_together("mz.prm", origin, together).await;
        let case = officer.case("tz.tpf", &opener.to_string()).await;
        *cases.entry(comparable(case).to_string()).or_default() += 1;
    }
    assert_eq!(cases.values().collect::<Vec<_>>(), [&48], "{cases:#?}");
    let only = cases.keys().next().expect("a case");
    assert!(only.contains("\"withdrawn\"") && only.contains("\"missing\":[]"), "{only}");

    // What lists show is what the fold says: the projection is thrown away and built again.
    let rows = "SELECT agency, owner, case_id, kind, status, facet, reference, short_reference, state, ball, until_at, state_2,
                ball_2, until_2, state_3, ball_3, due_at, handling, version, messages, missing, warnings, retain_until, erase_at
                FROM case_file ORDER BY case_id";
    let before = fixture.rows(rows).await;
    fixture.execute("UPDATE case_file SET state = 'active', ball = 'ours', until_at = 1, state_2 = 'x', version = 9, missing = 7").await;
    let keys: Vec<CaseKey> = fixture.case_keys().await;
    for key in keys {
        fixture.project_again(key).await;
    }
    assert_eq!(fixture.rows(rows).await, before);
}

#[tokio::test]
async fn parts_of_a_case_are_shown_with_what_is_missing() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let origin = Origin::Ingress(agency("tz.tpf").country());
    let (opener, messages) = said_by_tpf(&fixture, &mut 0);
    fixture.deliver("mz.prm", origin, messages[3].clone()).await;
    let case = officer.case("tz.tpf", &opener.to_string()).await;
    assert_eq!(case["case"]["state"], "withdrawn", "a withdrawal holds before its alert: {case}");
    assert_eq!(case["missing"], json!([{ "agency": "tz.tpf", "from": 1, "to": 3 }]));
    assert_eq!(case["case"].get("short_reference"), None);
    fixture.deliver("mz.prm", origin, messages[0].clone()).await;
    let case = officer.case("tz.tpf", &opener.to_string()).await;
    assert_eq!(case["missing"], json!([{ "agency": "tz.tpf", "from": 2, "to": 3 }]));
    let short = case["case"]["short_reference"].as_str().expect("a short reference").to_owned();
    let by_short = officer.get(&format!("/v1/cases?reference={}", short.to_lowercase())).await.expect(200);
    assert_eq!(states(&by_short), ["withdrawn nobody"]);
}

#[tokio::test]
async fn a_message_of_an_unknown_type_stands_in_the_case_and_is_lost_by_nobody() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let origin = Origin::Ingress(agency("tz.tpf").country());
    let now = fixture.gateway.base.now();
    let (opener, messages) = said_by_tpf(&fixture, &mut 0);
    fixture.deliver("mz.prm", origin, messages[0].clone()).await;
    let later = MessageId::draw(now);
    let jws = fixture.tz.message_with(
        later,
        ("tz.tpf", "mz.prm", 9),
        &withdraw(&json!({ "kind": "alert", "owner": "tz.tpf", "id": opener }), "error"),
        now,
        &CaseSoFar::default(),
        |header| {
            header.message_type = "alert.merge".to_owned();
            header.case = Some(CaseId { kind: "alert".to_owned(), owner: agency("tz.tpf"), id: opener });
            header.turn = Some(2);
        },
    );
    fixture.deliver("mz.prm", origin, jws).await;
    let case = officer.case("tz.tpf", &opener.to_string()).await;
    assert_eq!(case["case"]["state"], "active");
    assert_eq!(case["warnings"], json!([{ "agency": "tz.tpf", "turn": 2, "code": "case_type_unknown" }]));
    let steps = officer.timeline("tz.tpf", &opener.to_string()).await;
    assert_eq!((&steps[1]["type"], &steps[1]["effect"]), (&json!("alert.merge"), &json!("unjudged")));
    officer.get(&format!("/v1/messages/{later}")).await.expect(200);
}

#[tokio::test]
async fn lists_of_cases_are_narrowed_by_each_filter() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let own = officer.issue(&motorcycle()).await;
    fixture.clock.advance(std::time::Duration::from_secs(1));
    let received = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let names = async |query: &str| {
        let list = officer.get(&format!("/v1/cases?{query}")).await.expect(200).json;
        let rows = list["items"].as_array().expect("items").clone();
        rows.iter().map(|row| row["case"]["id"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, [received.clone(), own.clone()], "the last opened first");
    assert_eq!(names("partner=tz.tisd").await, std::slice::from_ref(&own));
    assert_eq!(names("partner=tz.tpf&limit=1").await, std::slice::from_ref(&received));
    let reference = motorcycle()["reference"].as_str().expect("a reference").to_owned();
    assert_eq!(names(&format!("reference={}", &reference[..6])).await, std::slice::from_ref(&own));
    assert_eq!(names("category=vehicle&kind=alert&state=active").await.len(), 2);
    for none in
        ["category=firearm", "state=withdrawn", "ball=ours", "due=2027-01-01T00:00:00Z", "reference=zzz"]
    {
        assert!(names(none).await.is_empty(), "{none}");
    }
    for bad in ["kind=stray", "state=dead", "ball=mine", "due=soon", "partner=nobody", "colour=red"] {
        officer.get(&format!("/v1/cases?{bad}")).await.expect(400);
    }
    let searched = fixture.audited("case.search").await;
    assert!(searched.iter().all(|event| !event.to_string().contains(&reference[..6])), "{searched:?}");
}

impl Fixture {
    /// Every row of a query, its values as text.
    pub(in crate::tests) async fn rows(&self, sql: &'static str) -> Vec<String> {
        use sqlx::{Column as _, Row as _, ValueRef as _};
        let mut conn = self.gateway.base.store.read().acquire().await.expect("a connection");
        let rows = sqlx::query(sql).fetch_all(&mut *conn).await.expect("rows");
        let text = |row: &sqlx::any::AnyRow, index: usize| -> String {
            if row.try_get_raw(index).is_ok_and(|value| value.is_null()) {
                return "null".to_owned();
            }
            let number = row.try_get::<i64, _>(index).map(|number| number.to_string());
            number
                .or_else(|_| row.try_get::<String, _>(index))
                .or_else(|_| row.try_get::<Vec<u8>, _>(index).map(|bytes| format!("{bytes:?}")))
                .expect("a value")
        };
        rows.iter()
            .map(|row| {
                (0..row.columns().len())
                    .map(|index| format!("{}={}", row.columns()[index].name(), text(row, index)))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    async fn case_keys(&self) -> Vec<CaseKey> {
        use rovuma_store::RowExt as _;
        use sqlx::Row as _;
        let mut conn = self.gateway.base.store.read().acquire().await.expect("a connection");
        let rows = sqlx::query("SELECT agency, owner, case_id, kind FROM case_file")
            .fetch_all(&mut *conn)
            .await
            .expect("rows");
        rows.iter()
            .map(|row| CaseKey {
                agency: row.parsed("agency").expect("an agency"),
                owner: row.parsed("owner").expect("an agency"),
                id: row.message_id("case_id").expect("an id"),
                kind: row.try_get("kind").expect("a kind"),
            })
            .collect()
    }

    async fn project_again(&self, key: CaseKey) {
        use rovuma_store::FutureExt as _;
        let (gateway, now) = (std::sync::Arc::clone(&self.gateway), self.gateway.base.now());
        let shared = std::sync::Arc::clone(&gateway);
        let job = gateway
            .base
            .store
            .write(move |tx| async move { project::again(tx, &shared.base, &key, now).await }.boxed());
        job.await.expect("projected");
    }
}
