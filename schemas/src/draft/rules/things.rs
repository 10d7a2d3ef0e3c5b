//! Vehicles, firearms and vessels: each must be told apart from every other of its kind.

use crate::{
    checks::{imo, vin},
    draft::rules::Checker,
    fault::FaultCode,
    view::View,
};

pub(super) fn check(checker: &mut Checker<'_>) {
    let subjects = checker.subjects();
    subjects.field("vehicles").items().iter().for_each(|vehicle| self::vehicle(checker, vehicle));
    subjects.field("firearms").items().iter().for_each(|firearm| self::firearm(checker, firearm));
    subjects.field("vessels").items().iter().for_each(|vessel| self::vessel(checker, vessel));
}

fn has_any(subject: &View<'_>, fields: &[&str]) -> bool {
    fields.iter().any(|field| subject.field(field).is_there())
}

fn vehicle(checker: &mut Checker<'_>, vehicle: &View<'_>) {
    if !has_any(vehicle, &["plate", "vin", "chassis_number", "engine_number"]) {
        checker.tell(&vehicle.at, FaultCode::VehicleWithoutIdentifier);
    }
    let number = vehicle.field("vin");
    let Some(text) = number.text().filter(|text| vin::has_check_digit(text)) else { return };
    if let Some(digit) = vin::check_digit(text).filter(|digit| text.chars().nth(8) != Some(*digit)) {
        checker.tell_with(&number.at, FaultCode::VinCheckDigit, digit);
    }
}

fn firearm(checker: &mut Checker<'_>, firearm: &View<'_>) {
    let removed = firearm.field("serial_removed");
    match (firearm.field("serial_number").is_there(), removed.truth()) {
        (true, Some(true)) => checker.tell(&removed.at, FaultCode::SerialContradiction),
        (false, _) if !has_any(firearm, &["marks"]) => {
            checker.tell(&firearm.at, FaultCode::FirearmWithoutIdentifier);
        }
        _ => {}
    }
}

fn vessel(checker: &mut Checker<'_>, vessel: &View<'_>) {
    let engine_known = vessel.field("engine").field("serial_number").is_there();
    if !engine_known && !has_any(vessel, &["name", "registration", "imo", "mmsi", "marks"]) {
        checker.tell(&vessel.at, FaultCode::VesselWithoutIdentifier);
    }
    let number = vessel.field("imo");
    let Some(text) = number.text() else { return };
    if let Some(digit) = imo::check_digit(text).filter(|digit| !text.ends_with(*digit)) {
        checker.tell_with(&number.at, FaultCode::ImoCheckDigit, digit);
    }
}
