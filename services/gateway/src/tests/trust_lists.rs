//! Trust lists: a new list is loaded, an older one never, and the API shows them.

use std::time::Duration;

use rovuma_envelope::trust::{Revocation, RevocationReason};
use serde_json::json;

use super::support::{Country, Fixture, agency, motorcycle};
use crate::{
    exchange::trust::{self, ListFiles},
    gateway::Gateway,
    service,
};

#[tokio::test]
async fn an_older_list_is_refused_even_after_a_restart() {
    let mut fixture = Fixture::start().await;
    let old = std::fs::read(fixture.tz.file()).expect("the first list");
    fixture.tz.revise();
    fixture.tz.publish(fixture.gateway.base.now());
    fixture.lists.reload(&fixture.gateway.exchange).await;
    std::fs::write(fixture.tz.file(), old).expect("written");
    fixture.lists.reload(&fixture.gateway.exchange).await;
    fixture.lists.reload(&fixture.gateway.exchange).await;
    assert_eq!(serial(&fixture, "tz.tpf"), Some(2));
    let refused = fixture.audited("trust.refuse").await;
    assert_eq!((refused.len(), &refused[0]["reason"]), (1, &json!("older")), "told once: {refused:?}");
    assert_eq!(fixture.audited("trust.load").await.len(), 3);

    // The store remembers the serial, so a new process refuses the older list too.
    let pinned = trust::pinned(&fixture.config.trust, &fixture.gateway.base.store).await.expect("pinned");
    let list = std::fs::read(fixture.tz.file()).expect("the old list");
    let fault = pinned.offer(&list, fixture.gateway.base.now()).expect_err("older than what was seen");
    assert!(fault.to_string().contains("serial 1"), "{fault}");
}

#[tokio::test]
async fn a_list_in_the_wrong_file_is_refused() {
    let mut fixture = Fixture::start().await;
    fixture.mz.revise();
    fixture.mz.publish(fixture.gateway.base.now());
    std::fs::copy(fixture.mz.file(), fixture.tz.file()).expect("copied");
    fixture.lists.reload(&fixture.gateway.exchange).await;
    let refused = fixture.audited("trust.refuse").await;
    assert_eq!((refused.len(), &refused[0]["reason"]), (1, &json!("other_country")));
    std::fs::write(fixture.tz.file(), "not a list").expect("written");
    fixture.lists.reload(&fixture.gateway.exchange).await;
    assert_eq!(fixture.audited("trust.refuse").await.len(), 2);
}

#[tokio::test]
async fn a_list_of_the_future_is_loaded_once_the_clock_is_corrected() {
    let mut fixture = Fixture::start().await;
    let ahead = Duration::from_secs(86_400);
    fixture.tz.revise();
    fixture.tz.publish(fixture.gateway.base.now().plus(ahead));
    for _ in 0..3 {
        fixture.lists.reload(&fixture.gateway.exchange).await;
    }
    let refused = fixture.audited("trust.refuse").await;
    assert_eq!((refused.len(), &refused[0]["reason"]), (1, &json!("clock")), "told once: {refused:?}");
    fixture.clock.advance(ahead);
    fixture.lists.reload(&fixture.gateway.exchange).await;
    assert_eq!(serial(&fixture, "tz.tpf"), Some(2));
    assert_eq!(
        (fixture.audited("trust.refuse").await.len(), fixture.audited("trust.load").await.len()),
        (1, 3)
    );
}

#[tokio::test]
async fn the_work_after_a_list_is_tried_until_it_is_done() {
    let mut fixture = Fixture::start().await;
    let now = fixture.gateway.base.now();
    fixture.receive("mz.prm", 1, &motorcycle()).await;
    fixture.tz.revise();
    compromise(&mut fixture.tz, "tz.tpf", &fixture.gateway);
    fixture.tz.renew_key(&agency("tz.tpf"), now);
    fixture.receive("mz.prm", 2, &motorcycle()).await;
    assert_eq!(follow_ups(&fixture).await, [2, 0, 1], "signed with a key that no list has yet");
    fixture.tz.publish(now);

    forbid(&fixture, "UPDATE", "trust_seen").await;
    forbid(&fixture, "UPDATE", "received").await;
    forbid(&fixture, "DELETE", "held").await;
    fixture.lists.reload(&fixture.gateway.exchange).await;
    assert_eq!(serial(&fixture, "tz.tpf"), Some(2), "in force, recorded or not");
    assert_eq!(follow_ups(&fixture).await, [2, 0, 1]);
    allow(&fixture, "held").await;
    fixture.lists.reload(&fixture.gateway.exchange).await;
    assert_eq!(follow_ups(&fixture).await, [2, 0, 0]);
    allow(&fixture, "trust_seen").await;
    fixture.lists.reload(&fixture.gateway.exchange).await;
    assert_eq!(follow_ups(&fixture).await, [3, 0, 0]);
    assert_eq!(fixture.count("SELECT serial FROM trust_seen WHERE country = 'tz'").await, 2);
    allow(&fixture, "received").await;
    for _ in 0..2 {
        fixture.lists.reload(&fixture.gateway.exchange).await;
        assert_eq!(follow_ups(&fixture).await, [3, 1, 0], "done, and not done again");
    }
}

#[tokio::test]
async fn a_compromised_key_of_our_own_raises_an_alarm() {
    let mut fixture = Fixture::start().await;
    let key = *fixture.gateway.exchange.agencies.get(&agency("mz.prm")).expect("served").signer.key_id();
    fixture.tz.revise();
    compromise(&mut fixture.tz, "tz.tpf", &fixture.gateway);
    fixture.tz.publish(fixture.gateway.base.now());
    fixture.lists.reload(&fixture.gateway.exchange).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM alarm").await, 0, "a partner's key is not ours");

    fixture.mz.revise();
    compromise(&mut fixture.mz, "mz.prm", &fixture.gateway);
    fixture.mz.publish(fixture.gateway.base.now());
    forbid(&fixture, "INSERT", "alarm").await;
    fixture.lists.reload(&fixture.gateway.exchange).await;
    allow(&fixture, "alarm").await;
    fixture.lists.reload(&fixture.gateway.exchange).await;
    fixture.lists.reload(&fixture.gateway.exchange).await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let alarm = officer.get("/v1/alarms").await.expect(200).json["items"][0].clone();
    assert_eq!(
        (&alarm["kind"], &alarm["subject"], &alarm["times"]),
        (&json!("compromised_key"), &json!(key), &json!(1))
    );
    assert!(alarm["detail"].as_str().is_some_and(|detail| detail.contains("reissued")), "{alarm}");
    let other = fixture.person("officer-2", "mz.senami", &["liaison_officer"]);
    assert_eq!(other.get("/v1/alarms").await.expect(200).json["items"], json!([]));
}

/// The serial of the list in force that an agency is in.
fn serial(fixture: &Fixture, code: &str) -> Option<u64> {
    fixture
        .gateway
        .exchange
        .trust
        .current()
        .list(agency(code).country())
        .map(rovuma_envelope::TrustList::serial)
}

/// The numbers of lists recorded as loaded, stored messages flagged, messages held.
async fn follow_ups(fixture: &Fixture) -> [i64; 3] {
    let loads = fixture.audited("trust.load").await.len();
    [
        i64::try_from(loads).expect("few"),
        fixture.count("SELECT COUNT(*) FROM received WHERE compromised_at IS NOT NULL").await,
        fixture.count("SELECT COUNT(*) FROM held").await,
    ]
}

/// Marks the key with which an agency signs as compromised, in the list that will be published next.
pub(super) fn compromise(country: &mut Country, code: &str, gateway: &Gateway) {
    let code = agency(code);
    let kid = gateway.exchange.trust.current().agency(&code).expect("listed").signing_keys[0].kid;
    let revocation = Revocation { at: gateway.base.now(), reason: RevocationReason::Compromised };
    country.list.revoke_signing_key(&code, &kid, revocation).expect("revoked");
}

/// Makes the store refuse this kind of statement on a table.
async fn forbid(fixture: &Fixture, what: &str, table: &str) {
    let postgres = rovuma_lab::postgres::tests_use_postgres();
    let body = if postgres {
        fixture.execute(
            "CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$",
        )
        .await;
        "FOR EACH ROW EXECUTE FUNCTION no()"
    } else {
        "BEGIN SELECT RAISE(ABORT, 'no'); END"
    };
    fixture.execute(format!("CREATE TRIGGER no_{table} BEFORE {what} ON {table} {body}")).await;
}

/// Undoes [`forbid`].
async fn allow(fixture: &Fixture, table: &str) {
    let on = if rovuma_lab::postgres::tests_use_postgres() { format!(" ON {table}") } else { String::new() };
    fixture.execute(format!("DROP TRIGGER no_{table}{on}")).await;
}

#[tokio::test]
async fn a_compromised_key_flags_what_it_signed() {
    let mut fixture = Fixture::start().await;
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let kid =
        fixture.gateway.exchange.trust.current().agency(&agency("tz.tpf")).expect("listed").signing_keys[0]
            .kid;
    fixture.tz.revise();
    compromise(&mut fixture.tz, "tz.tpf", &fixture.gateway);
    fixture.tz.publish(fixture.gateway.base.now());
    fixture.lists.reload(&fixture.gateway.exchange).await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let row = &officer.get("/v1/inbox").await.expect(200).json["items"][0];
    assert_eq!((&row["id"], row["compromised_at"].is_string()), (&json!(id), true));
    let alarms = officer.get("/v1/alarms").await.expect(200).json;
    assert_eq!(
        (&alarms["items"][0]["kind"], &alarms["items"][0]["subject"]),
        (&json!("compromised_key"), &json!(kid))
    );
}

#[tokio::test]
async fn lists_agencies_and_warnings_are_shown() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let trust = officer.get("/v1/trust").await.expect(200).json;
    assert_eq!(trust["lists"].as_array().expect("lists").len(), 2);
    assert_eq!(trust["warnings"], json!([]));
    let agencies = officer.get("/v1/agencies").await.expect(200).json;
    let codes: Vec<_> =
        agencies["items"].as_array().expect("agencies").iter().map(|row| row["code"].clone()).collect();
    assert_eq!(codes, ["mz.senami", "tz.tisd", "tz.tpf"]);
    assert_eq!(agencies["items"][2]["reachable"], true);
    let names = &agencies["items"][0]["names"];
    let [pt, sw] = ["Serviço Nacional de Migração", "Idara ya Taifa ya Uhamiaji ya Msumbiji"];
    assert_eq!(
        (&names["pt"], &names["sw"], &names["en"]),
        (&json!(pt), &json!(sw), &json!("Agency mz.senami"))
    );

    // The exact signed list, so that others can verify it with the pinned key alone.
    let signed = officer.get("/v1/trust/tz").await.expect(200).json.to_string();
    let list = rovuma_envelope::SignedTrustList::from_json(signed.as_bytes()).expect("a signed list");
    assert_eq!(list.unverified_content().country.as_str(), "tz");
    officer.get("/v1/trust/ke").await.expect(404);

    fixture.clock.advance(Duration::from_secs(100 * 86_400));
    let later = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let warnings = later.get("/v1/trust").await.expect(200).json["warnings"].clone();
    assert_eq!(warnings.as_array().expect("warnings").len(), 2, "{warnings}");
    assert!(warnings.as_array().expect("warnings").iter().all(|warning| warning["code"] == "list_overdue"));
}

#[tokio::test]
async fn a_store_that_is_opened_again_knows_its_lists() {
    let fixture = Fixture::start().await;
    let Fixture { gateway, config, context, .. } = fixture;
    drop(gateway);
    context.shutdown.begin();
    context.shutdown.drained().await;
    let context = rovuma_runtime::Context::new(context.clock.clone());
    let opened = loop {
        // The server's last connection may hold the store a moment longer.
        match service::open(&config, &context).await {
            Ok(gateway) => break std::sync::Arc::new(gateway),
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let mut lists = ListFiles::new(&config.trust, context.expiries.clone());
    lists.reload(&opened.exchange).await;
    assert_eq!(opened.exchange.trust.current().lists().count(), 2);
    assert!(context.expiries.near().is_empty());
}

#[tokio::test]
async fn codes_come_in_the_language_asked_for() {
    let fixture = Fixture::start().await;
    let anybody = fixture.person("officer-1", "mz.prm", &[]);
    let mut labels = Vec::new();
    for lang in ["pt", "sw", "en"] {
        let list = anybody.get(&format!("/v1/codes/offences?lang={lang}")).await.expect(200).json;
        assert_eq!((&list["list"], &list["lang"]), (&json!("offences"), &json!(lang)));
        labels.push(list["entries"][0]["label"].as_str().expect("a label").to_owned());
    }
    labels.dedup();
    assert_eq!(labels.len(), 3, "{labels:?}");
    anybody.get("/v1/codes/no_such_list").await.expect(404);
    anybody.get("/v1/codes/offences?lang=fr").await.expect(400);
}
