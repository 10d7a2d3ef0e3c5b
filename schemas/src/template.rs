//! Templates: drafts to begin with, and a description of every field that a draft may have.
//!
//! A template has every field that its kind of draft needs. Fields with a usual value have it; the others are empty, or `null`
//! where they are true or false, so that the check of the draft names each of them until its author has filled it in. The shape comes from the JSON Schema of the
//! type; what a kind needs beyond it comes from the family ([`Plan`]).

use serde_json::{Map, Value, json};

use crate::{
    AgencyCode, CodeLists, CountryCode, Date, Locale, MessageType, Status, Timestamp, families, schema,
    subjects::SubjectKind,
};

/// What a template is made for.
#[derive(Clone, Copy, Debug)]
pub struct TemplateContext<'a> {
    /// The country of the sender, where it is known: its plates and documents are the likeliest.
    pub country: Option<CountryCode>,
    /// The agencies to send it to; not used where the draft follows in a case, whose parties it goes to.
    pub recipients: &'a [AgencyCode],
    /// The language of the free texts.
    pub language: Locale,
    /// Actual, exercise or test.
    pub status: Status,
    /// The code lists.
    pub lists: &'a CodeLists,
    /// The present instant, from which default ends are counted.
    pub now: Timestamp,
}

/// A draft to begin with.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The draft, with empty texts where its author must write, and `null` where its author must decide.
    pub draft: Value,
    /// Sentences in English about what this kind of draft needs.
    pub notes: Vec<String>,
    /// Every field that it may have, in the order of the schema.
    pub fields: Vec<FieldHelp>,
}

/// The description of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldHelp {
    /// Its JSON pointer (RFC 6901); `0` stands for any item of a list.
    pub pointer: String,
    /// Whether this kind of draft needs it, or the object that it is in does.
    pub is_needed: bool,
    /// The form of its value, in words; empty for an object.
    pub form: String,
    /// The code list that its value must be in.
    pub code_list: Option<String>,
    /// What it says.
    pub description: String,
}

/// What a kind of draft needs beyond the schema of its type.
pub(crate) struct Plan {
    pub(crate) message_type: MessageType,
    /// The values of fields, by pointer.
    pub(crate) values: Vec<(String, Value)>,
    /// Pointers of further fields that it needs.
    pub(crate) needed: Vec<String>,
    /// Pointers of lists whose items are not described: they are possible, but not the matter.
    pub(crate) aside: Vec<String>,
    pub(crate) notes: Vec<String>,
}

impl Plan {
    /// The plan of a message that follows in a case.
    pub(crate) fn of_follower(message_type: MessageType, needed: &[&str], notes: &[&str]) -> Self {
        let family = message_type.class().family();
        let addressed = "It goes to the parties of its case. /case names the case by its kind, the agency that opened it and the \
                         message that opened it.";
        Self {
            message_type,
            values: family
                .map(|family| ("/case/kind".to_owned(), json!(family.as_str())))
                .into_iter()
                .collect(),
            needed: needed.iter().map(|pointer| (*pointer).to_owned()).collect(),
            aside: Vec::new(),
            notes: [addressed].iter().chain(notes).map(|note| (*note).to_owned()).collect(),
        }
    }
}

/// The members by which a subject of this kind is usually recognised, beyond those that its schema requires.
pub(crate) const fn identity(kind: SubjectKind) -> &'static [&'static str] {
    match kind {
        SubjectKind::Person | SubjectKind::Vessel | SubjectKind::Place => &["name"],
        SubjectKind::Document => &["number", "issuer", "status"],
        SubjectKind::Vehicle => &["plate"],
        SubjectKind::Firearm => &["serial_number"],
        SubjectKind::Object => &["type"],
    }
}

impl Template {
    /// The names of the kinds of draft that have a template: the categories of alerts, and the types of messages that follow in a
    /// case.
    pub fn names() -> Vec<&'static str> {
        families::template_names()
    }

    /// The template of this name.
    pub fn of(name: &str, context: &TemplateContext<'_>) -> Option<Self> {
        families::template_plan(name, context).map(|plan| Builder::new(plan, context).build())
    }
}

struct Builder<'a> {
    plan: Plan,
    schema: &'static Value,
    context: &'a TemplateContext<'a>,
}

impl<'a> Builder<'a> {
    fn new(mut plan: Plan, context: &'a TemplateContext<'a>) -> Self {
        let usual = [
            ("/status", json!(context.status.as_str())),
            ("/terms/urgency/level", json!("normal")),
            ("/terms/handling/code", json!("H0")),
            // Nobody has graded anything yet.
            ("/terms/evaluation/source", json!("X")),
            ("/terms/evaluation/information", json!("4")),
            ("/terms/language", json!(context.language.as_str())),
        ];
        plan.values.extend(usual.map(|(pointer, value)| (pointer.to_owned(), value)));
        if !context.recipients.is_empty() {
            plan.values.push(("/recipients".to_owned(), json!(context.recipients)));
        }
        let schema = schema::draft(plan.message_type);
        Self { plan, schema, context }
    }

    fn build(self) -> Template {
        let draft = self.value(self.schema, "");
        let mut fields = Vec::new();
        self.describe(self.schema, "", &mut fields);
        Template { draft, notes: self.plan.notes, fields }
    }

    /// Follows `$ref`s: the schema itself, and the name of its definition.
    fn resolve<'s>(&'s self, schema: &'s Value) -> (&'s Value, Option<&'s str>) {
        let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
        match name {
            Some(name) => {
                let (resolved, below) = self.resolve(&self.schema["$defs"][name]);
                (resolved, below.or(Some(name)))
            }
            None => (schema, None),
        }
    }

    /// Whether the template has the field, though the schema does not require it.
    fn is_planned(&self, pointer: &str) -> bool {
        let values = self.plan.values.iter().map(|(planned, _)| planned);
        values.chain(&self.plan.needed).any(|planned| is_at_or_below(planned, pointer))
    }

    fn value(&self, schema: &Value, pointer: &str) -> Value {
        if let Some((_, value)) = self.plan.values.iter().find(|(planned, _)| planned == pointer) {
            return value.clone();
        }
        let (schema, _) = self.resolve(schema);
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        match schema["type"].as_str() {
            Some("object") => self.object(schema, pointer),
            Some("array") => {
                let first = format!("{pointer}/0");
                let has_one = schema["minItems"].as_u64().is_some_and(|min| min > 0)
                    || self.plan.needed.iter().any(|needed| needed == pointer)
                    || self.is_planned(&first);
                if has_one { json!([self.value(&schema["items"], &first)]) } else { json!([]) }
            }
            // What its author must decide: `null` is a fault, and false would be an answer that nobody gave.
            Some("boolean") => Value::Null,
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(0)),
            _ => json!(self.usual_code(schema).unwrap_or_default()),
        }
    }

    fn object(&self, schema: &Value, pointer: &str) -> Value {
        let required = |name: &str| {
            schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
        };
        let mut object = Map::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let below = format!("{pointer}/{name}");
            if required(name) || self.is_planned(&below) {
                object.insert(name.clone(), self.value(member, &below));
            }
        }
        Value::Object(object)
    }

    /// The only code in force of a list, or the sender's own state.
    fn usual_code(&self, schema: &Value) -> Option<String> {
        let list = self.context.lists.get(schema["x-code-list"].as_str()?)?;
        if list.list == "states" {
            let country = self.context.country?;
            let own =
                list.entries.iter().find(|entry| entry.also.iter().any(|word| word == country.as_str()));
            return own.map(|entry| entry.code.clone());
        }
        let today = Date::of(self.context.now);
        let mut in_force = list.entries.iter().filter(|entry| entry.in_force(today));
        in_force.next().filter(|_| in_force.next().is_none()).map(|entry| entry.code.clone())
    }

    fn describe(&self, schema: &Value, pointer: &str, fields: &mut Vec<FieldHelp>) {
        let (schema, _) = self.resolve(schema);
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let below = format!("{pointer}/{name}");
            let is_needed = required.contains(&name.as_str()) || self.is_planned(&below);
            self.describe_member(member, below, is_needed, fields);
        }
    }

    fn describe_member(&self, member: &Value, pointer: String, is_needed: bool, fields: &mut Vec<FieldHelp>) {
        let (target, _) = self.resolve(member);
        let is_list = target["type"] == "array";
        let item = if is_list { &target["items"] } else { member };
        let (kind, name) = self.resolve(item);
        let form = form(kind, name);
        let form = if is_list && !form.is_empty() { format!("a list: {form}") } else { form };
        let own = member["description"].as_str();
        let description =
            own.or_else(|| target["description"].as_str()).unwrap_or_default().replace('\n', " ");
        fields.push(FieldHelp {
            is_needed,
            form,
            code_list: kind["x-code-list"].as_str().map(ToOwned::to_owned),
            description,
            pointer: pointer.clone(),
        });
        if kind["type"] == "object" && !self.plan.aside.contains(&pointer) {
            let below = if is_list { format!("{pointer}/0") } else { pointer };
            self.describe(item, &below, fields);
        }
    }
}

/// The form of a value in words.
fn form(schema: &Value, name: Option<&str>) -> String {
    if let Some(value) = schema["const"].as_str() {
        return value.to_owned();
    }
    if let Some(form) = name.and_then(|name| schema::form_in_words(name, Locale::En)) {
        return form;
    }
    if schema.get("x-code-list").is_some() {
        return "a code".to_owned();
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return words.join(", ");
    }
    match schema["type"].as_str() {
        Some("boolean") => "true or false".to_owned(),
        Some("integer") => "a whole number".to_owned(),
        Some("number") => "a number".to_owned(),
        Some("object") => String::new(),
        _ => "a text".to_owned(),
    }
}

/// Whether `pointer` is `top`, or a place below it.
fn is_at_or_below(pointer: &str, top: &str) -> bool {
    pointer.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{CheckedDraft, Family, ValidationContext};

    fn now() -> Timestamp {
        "2026-11-29T10:00:00Z".parse().expect("an instant")
    }

    fn template(name: &str) -> Template {
        let recipients = ["tz.tpf".parse().expect("a code")];
        let context = TemplateContext {
            country: "mz".parse().ok(),
            recipients: &recipients,
            language: Locale::Pt,
            status: Status::Exercise,
            lists: CodeLists::shipped(),
            now: now(),
        };
        Template::of(name, &context).expect("a template")
    }

    fn faults(draft: &Value) -> Vec<(String, String)> {
        let sender = "mz.prm".parse().expect("a code");
        let context = ValidationContext::shipped(now(), &sender);
        let checked = CheckedDraft::read(draft.to_string().as_bytes(), &context).expect("a draft");
        let faults = checked.faults(Locale::En).into_iter();
        faults.map(|fault| (fault.pointer, fault.code.as_str().to_owned())).collect()
    }

    /// The pointers of values that the author must still give: empty texts, decisions, and confirmations that are false.
    fn open_places(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, member)| open_places(member, &format!("{at}/{name}"), found));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, item)| open_places(item, &format!("{at}/{i}"), found));
            }
            Value::String(text) if text.is_empty() => drop(found.insert(at.to_owned())),
            Value::Null => drop(found.insert(at.to_owned())),
            Value::Bool(false) if at.ends_with("/confirmed") => drop(found.insert(at.to_owned())),
            _ => {}
        }
    }

    /// A value for an open place, by its form and list.
    fn filled(template: &Template, pointer: &str) -> Value {
        let general: Vec<&str> =
            pointer.split('/').map(|part| if part == "1" { "0" } else { part }).collect();
        let (general, list) = (general.join("/"), pointer.trim_end_matches("/0"));
        let known = |field: &&FieldHelp| field.pointer == general || field.pointer == list;
        let field =
            template.fields.iter().find(known).unwrap_or_else(|| panic!("{pointer} is not described"));
        if let Some(list) = &field.code_list {
            let list = CodeLists::shipped().get(list).expect("a list");
            let usable = |entry: &&crate::CodeEntry| entry.in_force(Date::of(now()));
            return json!(list.entries.iter().find(usable).expect("a code in force").code);
        }
        match field.form.trim_start_matches("a list: ") {
            "true or false" => json!(true),
            _ if pointer == "/case/kind" => json!("alert"),
            _ if pointer == "/body/alert/owner" => json!("tz.tpf"),
            _ if pointer == "/body/subject" => json!("v1"),
            form if form.starts_with("a day") && pointer.ends_with("until") => json!("2036-12-31"),
            form if form.starts_with("a telephone number") => json!("+258840000101"),
            form if form.starts_with("a day") => json!("2026-11-01"),
            form if form.starts_with("an instant") => json!("2026-12-20T00:00:00Z"),
            form if form.starts_with("a plate") => json!("AB 123"),
            form if form.starts_with("an agency's code") => json!("mz.prm"),
            form if form.starts_with("a message's number") => json!("0199c5a1-7b3e-7001-8a10-000000000001"),
            form if form.starts_with("the place of a field") => json!("/subjects/vehicles/0/plate"),
            _ => json!("Texto"),
        }
    }

    /// The content of an alert.
    fn whole_content() -> Value {
        let text = include_str!("../examples/valid/alert-stolen-dhow.json");
        serde_json::from_str::<Value>(text).expect("JSON")["body"].take()
    }

    #[test]
    fn every_template_lacks_only_what_its_author_must_say() {
        for name in Template::names() {
            let mut template = template(name);
            let mut open = BTreeSet::new();
            open_places(&template.draft, "", &mut open);
            for (pointer, code) in faults(&template.draft) {
                let is_open = open.iter().any(|place| is_at_or_below(place, &pointer));
                assert!(
                    is_open,
                    "{name}: {pointer} has the fault {code}, and nothing to fill in:\n{:#}",
                    template.draft
                );
            }
            let is_follower = template.draft.get("case").is_some();
            let must_be_said = match template.draft["type"].as_str() {
                _ if is_follower => "/case/id",
                Some("alert.issue") => "/body/circumstances",
                Some("permission.ask") => "/body/reason",
                Some("hit.notify") => "/body/matched/value",
                _ => "/body/facts",
            };
            assert!(open.contains(must_be_said), "{name}: {open:?}");
            for place in &open {
                let value = filled(&template, place);
                *template.draft.pointer_mut(place).expect("there") = value;
            }
            if name == "alert.update" {
                // What the content needs beyond the template depends on its category.
                template.draft["body"]["alert"] = whole_content();
            }
            assert_eq!(faults(&template.draft), [], "{name}: {:#}", template.draft);
        }
    }

    #[test]
    fn a_template_has_usual_values_where_there_are_any() {
        let draft = template("vehicle").draft;
        assert_eq!((&draft["status"], &draft["recipients"]), (&json!("exercise"), &json!(["tz.tpf"])));
        assert_eq!(draft["terms"]["language"], "pt");
        assert_eq!(
            draft["terms"]["retain_until"], "2029-12-29",
            "the category's three years, and a month to spare"
        );
        assert_eq!(draft["body"]["subjects"]["vehicles"][0]["plate"]["country"], "MOZ");
        let first: Vec<&String> = draft.as_object().expect("an object").keys().take(3).collect();
        assert_eq!(first, ["type", "status", "recipients"]);
        assert_eq!(template("wanted_person").draft["body"]["subjects"]["persons"][0]["role"], "wanted");
    }

    #[test]
    fn a_template_of_a_follower_has_its_case_instead_of_recipients() {
        for kind in MessageType::operational().filter(|kind| kind.class().follows()) {
            let template = template(kind.as_str());
            let family = kind.class().family().map_or("", Family::as_str);
            assert_eq!(template.draft["case"], json!({ "kind": family, "owner": "", "id": "" }), "{kind}");
            assert_eq!(template.draft.get("recipients"), None, "{kind}");
            assert!(template.notes.len() > 1, "{kind} has no note of its own");
            assert!(template.fields.iter().any(|field| field.pointer == "/case/owner" && field.is_needed));
        }
        let body = |name: &str| template(name).draft["body"].clone();
        assert_eq!(body("alert.flag"), json!({ "flag": "on", "version": 1, "reason": "", "instead": "" }));
        assert_eq!(body("alert.withdraw"), json!({ "reason": "" }));
        assert_eq!(body("release.confirm"), json!({}));
        assert_eq!(template("release.confirm").draft["in_reply_to"], "");
    }

    #[test]
    fn whether_a_person_is_a_minor_is_for_the_author_to_say() {
        let draft = template("missing_person").draft;
        assert_eq!(draft["body"]["subjects"]["persons"][0]["minor"], Value::Null, "{draft:#}");
        let pointer = "/body/subjects/persons/0/minor".to_owned();
        assert!(faults(&draft).contains(&(pointer, "wrong_type".to_owned())), "{:?}", faults(&draft));
        assert_eq!(draft["terms"]["protection_check"]["confirmed"], false);
    }

    #[test]
    fn every_field_of_the_matter_is_described() {
        let fields = template("vehicle").fields;
        let field = |pointer: &str| fields.iter().find(|field| field.pointer == pointer);
        let colour = field("/body/subjects/vehicles/0/colour").expect("a colour");
        assert_eq!((colour.code_list.as_deref(), colour.is_needed), (Some("colours"), false));
        assert!(field("/body/offences").expect("offences").is_needed, "a vehicle's alert names the offence");
        assert!(
            field("/body/subjects/persons").is_some() && field("/body/subjects/persons/0/role").is_none()
        );
        let vin = field("/body/subjects/vehicles/0/vin").expect("a VIN");
        assert!(vin.form.contains("17 capitals"), "{vin:?}");
    }

    #[test]
    fn another_name_has_no_template() {
        let context = TemplateContext {
            country: None,
            recipients: &[],
            language: Locale::En,
            status: Status::Test,
            lists: CodeLists::shipped(),
            now: now(),
        };
        assert!(Template::of("bicycle", &context).is_none());
    }
}
