//! The labels of the members of drafts and messages, for people who read them.

use std::sync::LazyLock;

use crate::{Locale, Sentences};

/// The labels by member; `Definition.member` where a member of one definition of the schema means something else.
static LABELS: LazyLock<Sentences> = LazyLock::new(|| {
    // The file is part of this build and a test reads it.
    Sentences::parse(include_str!("../sentences/fields.json")).expect("every label is complete")
});

/// The label of `member` of an object that the JSON Schema defines as `definition`; `None` for a member of a later version.
pub fn field_label(definition: &str, member: &str, locale: Locale) -> Option<&'static str> {
    let special = format!("{definition}.{member}");
    let key =
        LABELS.keys().find(|key| *key == special).or_else(|| LABELS.keys().find(|key| *key == member))?;
    Some(LABELS.get(key, locale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MessageType, schema};

    /// What officers write and read has a label: terms, bodies, and a draft's own members.
    #[test]
    fn every_member_of_a_draft_has_a_label() {
        for kind in MessageType::operational() {
            let schema = schema::draft(kind);
            let definitions = schema["$defs"].as_object().expect("definitions").iter();
            let root = ("Draft".to_owned(), schema.clone());
            for (name, definition) in definitions.map(|(name, of)| (name.clone(), of.clone())).chain([root]) {
                for member in
                    definition["properties"].as_object().into_iter().flat_map(|members| members.keys())
                {
                    assert!(field_label(&name, member, Locale::Sw).is_some(), "{name}.{member} has no label");
                }
            }
        }
    }

    /// A label that no schema uses any more is a leftover.
    #[test]
    fn every_label_is_used() {
        let text: String = MessageType::operational().map(|kind| schema::draft(kind).to_string()).collect();
        for key in LABELS.keys() {
            let member = key.rsplit('.').next().unwrap_or(key);
            assert!(text.contains(&format!("\"{member}\":")), "{key} is no member of a draft");
        }
    }

    #[test]
    fn a_definition_may_have_a_label_of_its_own() {
        assert_eq!(field_label("Item", "unit", Locale::En), Some("Unit of measure"));
        assert_eq!(field_label("Draft", "unit", Locale::En), Some("Unit"));
        assert_eq!(field_label("Draft", "of_a_later_version", Locale::En), None);
    }
}
