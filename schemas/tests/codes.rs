//! The data files are complete and agree with the types.

use std::collections::BTreeSet;

use rovuma_schemas::{
    AgencyCode, AgencyDirectory, CodeLists, Date, Locale, MessageType, RejectionCode, SecondPersonReason,
    SubjectKind,
    alert::{Category, FlagState, Needs},
    any_case::PurgeOutcome,
    audit::AuditAction,
    codes::crossings,
};

fn codes(list: &str) -> BTreeSet<String> {
    let list = CodeLists::shipped().get(list).unwrap_or_else(|| panic!("no list {list}"));
    list.entries.iter().map(|entry| entry.code.clone()).collect()
}

#[test]
fn every_entry_has_its_labels_and_every_code_stands_once() {
    let shape = |code: &str| {
        (1..=48).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
    };
    for list in CodeLists::shipped().iter() {
        assert!(!list.entries.is_empty() && !list.source.is_empty(), "{}", list.list);
        assert_eq!(codes(&list.list).len(), list.entries.len(), "{}: a code stands twice", list.list);
        for entry in &list.entries {
            assert!(shape(&entry.code), "{}: {}", list.list, entry.code);
            for locale in Locale::ALL {
                let label = entry.labels.get(locale);
                assert!(!label.trim().is_empty() && label.trim() == label, "{}: {}", list.list, entry.code);
            }
        }
    }
}

#[test]
fn what_types_know_stands_in_the_lists() {
    let words =
        |known: &[&str]| -> BTreeSet<String> { known.iter().map(|word| (*word).to_owned()).collect() };
    let rejections: Vec<&str> = RejectionCode::KNOWN.iter().map(RejectionCode::as_str).collect();
    assert_eq!(codes("rejections"), words(&rejections));
    let actions: Vec<&str> = AuditAction::KNOWN.iter().map(AuditAction::as_str).collect();
    assert_eq!(codes("audit_actions"), words(&actions));
    let categories: Vec<&str> = Category::ALL.iter().map(|category| category.as_str()).collect();
    assert_eq!(codes("categories"), words(&categories));
    let kinds: Vec<&str> = SubjectKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(codes("subject_kinds"), words(&kinds));
    let reasons = [
        SecondPersonReason::Minor,
        SecondPersonReason::Person,
        SecondPersonReason::Handling,
        SecondPersonReason::HandlingLowered,
    ];
    assert_eq!(codes("second_person"), words(&reasons.map(SecondPersonReason::as_str)));
    let types: Vec<&str> = MessageType::operational().map(MessageType::as_str).collect();
    assert_eq!(codes("message_types"), words(&types));
    assert_eq!(codes("flag_states"), words(&[FlagState::On, FlagState::Off].map(FlagState::as_str)));
    let outcomes = [PurgeOutcome::Erased, PurgeOutcome::Retained, PurgeOutcome::NeverHeld];
    assert_eq!(codes("purge_outcomes"), words(&outcomes.map(PurgeOutcome::as_str)));
}

#[test]
fn category_rules_name_codes_that_there_are() {
    let (actions, roles) = (codes("actions"), codes("person_roles"));
    for category in Category::ALL {
        let rule = category.rule();
        assert!(!rule.actions.is_empty(), "{category}");
        assert!(rule.actions.iter().all(|action| actions.contains(*action)), "{category}");
        assert!(rule.roles.iter().all(|role| roles.contains(*role)), "{category}");
        assert!(rule.roles.is_empty() || rule.needs == Needs::One(SubjectKind::Person), "{category}");
    }
}

#[test]
fn a_code_is_in_force_within_its_dates_only() {
    let list = CodeLists::shipped().get("legal_bases").expect("the list");
    assert!(list.notice.is_some(), "a lawyer must confirm it");
    let lapsed = list.find("example_lapsed").expect("the entry");
    let on = |text: &str| text.parse::<Date>().expect("a date");
    assert!(!lapsed.in_force(on("2009-12-31")));
    assert!(lapsed.in_force(on("2010-01-01")) && lapsed.in_force(on("2017-12-31")));
    assert!(!lapsed.in_force(on("2018-01-01")));
}

#[test]
fn an_installation_can_put_its_own_list_in_place() {
    let mut own = CodeLists::shipped().get("legal_bases").expect("the list").clone();
    own.entries.truncate(1);
    let lists = CodeLists::shipped().clone().with(own);
    assert_eq!(lists.get("legal_bases").expect("the list").entries.len(), 1);
    assert!(CodeLists::shipped().get("legal_bases").expect("the list").entries.len() > 1);
}

#[test]
fn labels_of_unknown_codes_are_the_codes() {
    let lists = CodeLists::shipped();
    assert_eq!(lists.label("states", "TZA", Locale::Pt), "Tanzânia");
    assert_eq!(lists.label("states", "ZZZ", Locale::Pt), "ZZZ");
    assert_eq!(lists.label("no_such_list", "x", Locale::En), "x");
}

#[test]
fn states_are_those_of_icao() {
    let states = codes("states");
    for code in ["MOZ", "TZA", "D", "GBD", "GBN", "GBO", "GBP", "GBS", "UNO", "UNA", "UNK"] {
        assert!(states.contains(code), "{code}");
    }
    for code in ["XXA", "XXB", "XXC", "XXX", "XDC", "XPO", "EUE"] {
        assert!(states.contains(code), "{code}");
    }
    assert!(!states.contains("DEU"), "Germany is D in ICAO Doc 9303");
}

#[test]
fn crossings_and_agencies_fit_together() {
    let sites: BTreeSet<String> = crossings().iter().map(|site| site.code.clone()).collect();
    assert_eq!(sites, codes("crossings"));
    let subdivisions = codes("subdivisions");
    for side in crossings().iter().flat_map(|site| &site.sides) {
        assert!(subdivisions.contains(&side.subdivision), "{}", side.place);
        assert_eq!(side.subdivision[..2].to_lowercase(), side.country.as_str());
    }
    let directory = AgencyDirectory::shipped();
    for country in ["mz", "tz"] {
        let country = country.parse().expect("a country");
        assert!(directory.find(&AgencyCode::node_of(country)).is_some());
    }
    assert_eq!(directory.iter().filter(|agency| !agency.code.is_node()).count(), 6);
}
