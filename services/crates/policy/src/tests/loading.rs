//! Policies that must not be loaded, and the messages of their refusals.

use cedar_policy::Entities;

use super::questions::{each_role, questions, special_actors};
use crate::{
    LoadError, Policy,
    load::{self, PolicyText},
};

/// The built-in policies and one more file.
fn with(text: &str) -> Result<Policy, LoadError> {
    let mut texts = load::built_in_policies();
    texts.push(PolicyText { file: "99-local.cedar".to_owned(), text: text.to_owned() });
    Policy::from_texts(load::BUILT_IN_SCHEMA, &texts)
}

fn refusal(text: &str) -> String {
    with(text).expect_err("must be refused").to_string()
}

#[test]
fn the_built_in_policies_permit_nothing_that_must_not_be() {
    crate::invariants::check(&Policy::built_in()).expect("nothing is found");
}

#[test]
fn the_folder_that_is_built_in_loads() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../deploy/policy");
    let from_folder = Policy::from_folder(folder.as_ref()).expect("it loads");
    let built_in = Policy::built_in();
    let count = |policy: &Policy| policy.loaded.everything.num_of_policies();
    assert_eq!(count(&from_folder), count(&built_in), "a file of the folder is not built in");
}

#[test]
fn a_local_policy_is_taken() {
    let text = r#"@id("analyst_sees_held") permit (principal in Role::"analyst", action == Action::"held.read", resource);"#;
    with(text).expect("a right within the agency is the installation's to give");
}

#[test]
fn a_folder_without_policies_or_none_at_all_is_refused() {
    let none = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    assert!(matches!(Policy::from_folder(none.as_ref()), Err(LoadError::Empty { .. })));
    assert!(matches!(Policy::from_folder("/nowhere/at/all".as_ref()), Err(LoadError::Unreadable { .. })));
}

#[test]
fn mistakes_are_named_with_their_file() {
    let mistakes = [
        ("syntax", r#"@id("x") permit (principal, action resource);"#),
        ("no id", r#"permit (principal in Role::"analyst", action == Action::"held.read", resource);"#),
        ("id taken", r#"@id("admin_keys") permit (principal in Role::"analyst", action, resource);"#),
        ("no code", r#"@id("x") forbid (principal in Role::"analyst", action, resource);"#),
        ("unknown code", r#"@id("x") @code("because") forbid (principal, action, resource);"#),
        ("unknown role", r#"@id("x") permit (principal in Role::"analist", action, resource);"#),
        ("unknown action", r#"@id("x") permit (principal, action == Action::"held.red", resource);"#),
        (
            "unknown attribute",
            r#"@id("x") permit (principal, action, resource) when { resource.author == principal };"#,
        ),
        ("template", r#"@id("x") permit (principal in ?principal, action, resource);"#),
    ];
    let refusals: Vec<_> = mistakes.iter().map(|(name, text)| format!("{name}: {}", refusal(text))).collect();
    insta::assert_snapshot!("mistakes", refusals.join("\n"));
}

#[test]
fn what_no_installation_may_permit_is_refused() {
    insta::assert_snapshot!(
        "everything_permitted",
        refusal(r#"@id("x") permit (principal, action, resource);"#)
    );
    let lacking = |id: &str| {
        let keep = |text: PolicyText| {
            let start = text.text.find(&format!("@id(\"{id}\")"));
            let Some(start) = start else { return text };
            let length = text.text[start..].find(";\n").expect("a policy ends") + 2;
            let rest = format!("{}{}", &text.text[..start], &text.text[start + length..]);
            PolicyText { text: rest, ..text }
        };
        let texts: Vec<_> = load::built_in_policies().into_iter().map(keep).collect();
        Policy::from_texts(load::BUILT_IN_SCHEMA, &texts).expect_err("must be refused").to_string()
    };
    assert!(lacking("own_agency_only").contains("liaison_officer of mz.prm does message.read at tz.tpf"));
    let alone = lacking("author_is_not_the_second_person");
    assert!(
        alone.contains("liaison_officer releases alone a draft of alert.issue that requires a second person"),
        "{alone}"
    );
}

/// The limit on auditors answers no for whoever holds all roles, and must not hide what two of the others may do together.
#[test]
fn what_two_roles_may_do_together_is_asked_too() {
    let rule =
        r#"unless { context.emergency && !principal.machine && principal in Role::"liaison_officer" };"#;
    let except = |text: &str| format!("{} unless {{ principal in {text} }};", rule.trim_end_matches(';'));
    let with_exception = |PolicyText { file, text }: PolicyText| PolicyText {
        text: text.replace(rule, &except(r#"Role::"liaison_officer" && principal in Role::"analyst""#)),
        file,
    };
    let texts: Vec<_> = load::built_in_policies().into_iter().map(with_exception).collect();
    let refusal = Policy::from_texts(load::BUILT_IN_SCHEMA, &texts).expect_err("must be refused").to_string();
    let finding =
        "analyst and liaison_officer releases alone a draft of alert.issue that requires a second person";
    let other_order =
        "liaison_officer and analyst releases alone a draft of alert.issue that requires a second person";
    assert!(refusal.contains(finding) || refusal.contains(other_order), "{refusal}");
    assert_eq!(refusal.matches("releases alone a draft of alert.issue").count(), 1, "{refusal}");
}

#[test]
fn a_schema_that_lacks_an_action_is_refused() {
    let schema = load::BUILT_IN_SCHEMA.replace("action \"held.read\"", "action \"held.look\"");
    let refusal = Policy::from_texts(&schema, &[]).expect_err("must be refused").to_string();
    assert!(refusal.contains("held.read"), "{refusal}");
}

#[test]
fn the_entities_fit_the_schema() {
    let loaded = load::load(load::BUILT_IN_SCHEMA, &load::built_in_policies()).expect("they load");
    for question in questions() {
        for (name, actor) in each_role().into_iter().chain(special_actors()) {
            let entities =
                loaded.names.entities(&actor, &question.resource, &loaded.scopes[&question.action].action);
            let checked =
                Entities::from_entities(entities.expect("made").iter().cloned(), Some(&loaded.schema));
            assert!(checked.is_ok(), "{name} {}: {checked:?}", question.action);
        }
    }
}
