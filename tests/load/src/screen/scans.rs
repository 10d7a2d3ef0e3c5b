//! Scans of travellers and vehicles that nobody looks for.

use serde_json::{Value, json};

use super::{
    list::Holder,
    numbers::{NumberPlace, with_vin_digit},
    random::Random,
    truth::Numbers,
    zone::{Counting, Zone, ZoneForm},
};

/// The body of a scan of something that is not listed, without the crossing.
pub(super) fn of_nobody(numbers: &Numbers, random: &mut Random) -> Value {
    loop {
        let (place, number, scan) = draw(random);
        if !numbers.has(place, &number) {
            return scan;
        }
    }
}

/// The birth date in a zone.
pub(super) fn birth(holder: &Holder) -> String {
    format!("{:02}{:02}{:02}", holder.year % 100, holder.month, holder.day)
}

fn draw(random: &mut Random) -> (NumberPlace, String, Value) {
    match random.below(10) {
        0..3 => {
            let number = random.fill("lldddddd");
            let scan = zone(ZoneForm::Td3, "P", &number, random);
            (NumberPlace::Document, number, scan)
        }
        3 => {
            let number = random.fill("ddddddddddddl");
            let form = if random.happens(50) { ZoneForm::Td1 } else { ZoneForm::Td2 };
            let scan = zone(form, "ID", &number, random);
            (NumberPlace::Document, number, scan)
        }
        4 => {
            let number = random.fill("19dddddddddddddddddd");
            (NumberPlace::Document, number.clone(), json!({ "text": number, "kind": "nida" }))
        }
        5 => {
            let number = random.fill("lldddddd");
            let scan = json!({ "text": number.to_ascii_lowercase(), "kind": "document", "state": "MOZ" });
            (NumberPlace::Document, number, scan)
        }
        6..8 => {
            let (form, state) = *random.pick(&[("llldddMP", "MOZ"), ("Tdddlll", "TZA"), ("MCdddlll", "TZA")]);
            let number = random.fill(form);
            let scan = json!({ "text": number, "kind": "plate", "state": state });
            (NumberPlace::Plate, number, scan)
        }
        8 => {
            let number = with_vin_digit(&random.fill("JTvvvvvvvvvdddddd"));
            (NumberPlace::Frame, number.clone(), json!({ "text": number, "kind": "vin" }))
        }
        _ => {
            let number = random.fill("llldddddd");
            (NumberPlace::Engine, number.clone(), json!({ "text": number, "kind": "engine_number" }))
        }
    }
}

fn zone(form: ZoneForm, code: &str, number: &str, random: &mut Random) -> Value {
    let holder = Holder::draw(random);
    let state = *random.pick(&["MOZ", "TZA"]);
    let lines = Zone {
        form,
        counting: Counting::Joined,
        code,
        issuer: state,
        number,
        printed: None,
        surname: holder.surname,
        given: holder.given,
        nationality: state,
        birth: &birth(&holder),
        sex: 'F',
        expiry: "310415",
    }
    .lines();
    json!({ "text": lines.join("\n"), "source": "reader" })
}
