//! The lists that are built in.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use super::{CodeList, CodeLists};

macro_rules! files {
    ($($name:literal,)+) => {
        /// The text of every code list's file.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../codes/", $name, ".json")))),+];
    };
}

files! {
    "actions", "answer_results", "audit_actions", "birth_precision", "cancel_reasons", "categories",
    "colours", "confirm_words", "crossings", "delay_reasons", "directions", "document_statuses",
    "document_types", "drop_reasons", "evaluation_information", "evaluation_source", "firearm_types",
    "flag_reasons", "flag_states", "handling", "hit_acts", "languages", "legal_bases", "matched_kinds",
    "matching_rules", "message_types", "not_possible_reasons", "object_types", "offences", "other_channels",
    "permission_decisions", "permission_uses", "person_roles", "place_types", "purge_outcomes", "purposes",
    "questions", "reasons_held", "refusal_reasons", "rejections", "request_kinds", "request_outcomes",
    "request_uses", "retention_grounds", "retract_reasons", "second_person", "sex", "states", "subdivisions",
    "subject_kinds", "telephone_kinds", "urgency_levels", "urgency_reasons", "vehicle_types", "vessel_types",
    "warnings", "withdraw_reasons",
}

pub(super) static LISTS: LazyLock<CodeLists> = LazyLock::new(|| {
    // The files are part of this build and a test reads each of them.
    let read = |(_, text): &(&str, &str)| serde_json::from_str::<CodeList>(text).expect("well formed");
    let by_name: BTreeMap<_, _> =
        FILES.iter().map(read).map(|list| (list.list.clone(), Arc::new(list))).collect();
    CodeLists { by_name }
});
