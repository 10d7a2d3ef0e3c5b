//! Messages of the audit service to partners, as the gateway takes them from its queue.

use std::{collections::BTreeMap, sync::Arc};

use rovuma_broker::{Delivery, Handler as _, Verdict, topology::names};
use serde_json::{Value, json};

use super::support::Fixture;
use crate::exchange::witness::{Outward, UNSENDABLE};

fn delivery(body: &Value) -> Delivery {
    Delivery {
        exchange: names::AUDIT.to_owned(),
        routing_key: names::AUDIT_OUTWARD_KEY.to_owned(),
        message_id: String::new(),
        content_type: "application/json".to_owned(),
        headers: BTreeMap::new(),
        header_fault: None,
        redelivered: false,
        body: body.to_string().into_bytes(),
    }
}

/// The fixture's gateway has no key for `mz.node`, like one whose key can no longer sign.
#[tokio::test]
async fn what_can_never_be_signed_is_set_aside_with_an_alarm_and_the_others_go_on() {
    let fixture = Fixture::start().await;
    let example = include_str!("../../../../schemas/examples/valid/message-audit.checkpoint.json");
    let example: Value = serde_json::from_str(example).expect("an example");
    let unsendable =
        delivery(&json!({ "partner": "tz", "message": { "audit.checkpoint": example["body"] } }));
    let batch = [unsendable.clone(), delivery(&json!({})), unsendable];
    let outward = Outward(Arc::clone(&fixture.gateway.exchange));
    let verdicts = outward.handle(batch.into()).await.expect("nothing is tried again");
    let set_aside = Verdict::DeadLetter { reason: UNSENDABLE };
    assert_eq!(verdicts, [set_aside, Verdict::Accept, set_aside]);
    let alarms = "SELECT times FROM alarm WHERE agency = 'mz.node' AND kind = 'witness_unsendable'
                  AND subject = 'tz' AND detail LIKE '%mz.node is not served%'";
    assert_eq!(fixture.count(alarms).await, 2);
}
