//! Alerts to post, each with a number of its own, and the scans that find them.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    list::Holder,
    numbers::with_vin_digit,
    random::Random,
    scans,
    zone::{Counting, Zone, ZoneForm},
};
use crate::draft;

/// An alert, and what a border officer scans when its subject crosses.
#[derive(Clone, Debug)]
pub(super) struct LiveAlert {
    /// The draft.
    pub(super) draft: String,
    /// The body of a scan, without the crossing.
    pub(super) scan: Value,
}

/// An alert of Tanzania's police to Mozambique's about a vehicle or a document, in turn.
///
/// # Errors
/// When the example has other fields than these.
pub(super) fn alert(number: u32, random: &mut Random) -> Result<LiveAlert> {
    let mut draft: Value = serde_json::from_str(&draft::numbered(number)?).context("the example is JSON")?;
    draft["recipients"] = json!(["mz.prm"]);
    draft["reference"] = json!(format!("TPF-EX-{number:07}"));
    let scan = match number % 3 {
        0 => document(&mut draft, number, random),
        1 => plate(&mut draft, number, random),
        _ => vin(&mut draft, number, random),
    };
    Ok(LiveAlert { draft: draft.to_string(), scan })
}

fn plate(draft: &mut Value, number: u32, random: &mut Random) -> Value {
    let letters = random.fill("lll");
    // A form that no generated plate has, so that nothing else is found.
    let plate = format!("DFP{:04}{letters}", number % 10_000);
    let vehicle = &mut draft["body"]["subjects"]["vehicles"][0];
    vehicle["plate"] = json!({ "number": plate, "country": "TZA" });
    json!({ "text": plate.to_ascii_lowercase(), "kind": "plate", "state": "TZA" })
}

fn vin(draft: &mut Value, number: u32, random: &mut Random) -> Value {
    let vin = with_vin_digit(&random.fill(&format!("JHvvvvvvvv1{number:06}")));
    let vehicle = &mut draft["body"]["subjects"]["vehicles"][0];
    vehicle["vin"] = json!(vin);
    json!({ "text": vin, "kind": "vin" })
}

fn document(draft: &mut Value, number: u32, random: &mut Random) -> Value {
    let value = format!("{}{number:06}", random.fill("TEl"));
    draft["body"]["category"] = json!("document");
    draft["terms"]["purpose"] = json!("document_control");
    draft["terms"]["protection_check"] = json!({ "confirmed": true });
    draft["body"]["actions"] = json!(["seize"]);
    draft["body"]["offences"] = json!(["theft"]);
    let document = json!({ "type": "passport", "number": value, "issuer": "TZA", "status": "stolen" });
    draft["body"]["subjects"] = json!({ "documents": [document] });
    let holder = Holder::draw(random);
    let lines = Zone {
        form: ZoneForm::Td3,
        counting: Counting::Joined,
        code: "P",
        issuer: "TZA",
        number: &value,
        printed: None,
        surname: holder.surname,
        given: holder.given,
        nationality: "TZA",
        birth: &scans::birth(&holder),
        sex: 'M',
        expiry: "310415",
    }
    .lines();
    json!({ "text": lines.join("\n"), "source": "reader" })
}
