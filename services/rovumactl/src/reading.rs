//! Messages and drafts as people read them: labels for members and codes, names for agencies, local times. The JSON Schema
//! of the type says which member is what, so a new type or member needs no code here.

pub(crate) mod names;
mod people;

use std::fmt::Write as _;

use clap::Args;
use rovuma_schemas::{AgencyCode, CodeLists, Locale, Status, Timestamp, field_label, schema};
use serde_json::{Map, Value};

use crate::{
    app::App,
    client::{self, Client},
    moments,
    output::safe,
    session::{ServerArgs, claims::TokenCaller},
};
use names::AgencyNames;
use people::PeopleNames;

rovuma_schemas::sentences! {
    /// The sentences around a message's content.
    pub(crate) struct Words in rovuma_schemas::sentences::MESSAGE_VIEW;
    message,
    draft,
    from,
    to,
    sent,
    released_by,
    received,
    read,
    case,
    reference,
    in_reply_to,
    state,
    active,
    expired,
    unread,
    you,
    yes,
    no,
    urgent,
    exercise,
    test,
    warnings,
    expired_on_the_way(expires, received),
    inoperative,
    rejected(reason),
    compromised(at),
    replaced_by(id),
    replaces(id),
    ended(at),
    no_content,
    unreadable,
    copies,
    copy_waiting(since),
    copy_queued(since),
    copy_delivered(since),
    copy_read(since),
    copy_rejected(since, reason),
    copy_void(since, reason),
}

/// Types of the schemas whose words have labels in a code list, though they may be others too.
const LISTS_OF_WORDS: [(&str, &str); 2] =
    [("UrgencyLevel", "urgency_levels"), ("SubdivisionCode", "subdivisions")];

/// The widest that a column of labels gets; a longer label pushes its own value only.
const LABELS_MAX_CHARS: usize = 28;

/// The language in which a command shows labels and names.
#[derive(Debug, Default, Args)]
pub(crate) struct LanguageArgs {
    /// The language of labels and names: pt, sw or en [default: that of LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, value_name = "LANG")]
    language: Option<Locale>,
}

impl LanguageArgs {
    pub(crate) fn locale(&self) -> Locale {
        self.language.unwrap_or_else(client::own_locale)
    }

    /// A reader of this language, who reads at the gateway `client` of these agencies and people.
    pub(crate) async fn reader(
        &self,
        app: &App,
        server: &ServerArgs,
        client: &Client,
        agencies: &[AgencyCode],
        people: &[&str],
    ) -> Reader {
        let (locale, caller) = (self.locale(), client.caller());
        let others: Vec<&str> = people.iter().copied().filter(|person| *person != caller.subject).collect();
        Reader {
            locale,
            agencies: AgencyNames::known(client, locale, agencies).await,
            people: PeopleNames::known(app, server, &others).await,
            caller,
        }
    }
}

/// What readers need beside the content: their language, who they are, and the names of agencies and people.
pub(crate) struct Reader {
    pub(crate) locale: Locale,
    pub(crate) agencies: AgencyNames,
    people: PeopleNames,
    caller: TokenCaller,
}

impl Reader {
    pub(crate) const fn words(&self) -> Words {
        Words::of(self.locale)
    }

    /// A person, whom the API names by a pseudonym: "you", or the name if it is known.
    pub(crate) fn person(&self, subject: &str) -> String {
        if subject == self.caller.subject { self.words().you().to_owned() } else { self.people.text(subject) }
    }

    /// The label of a code; the code itself where this version does not know it.
    pub(crate) fn label<'a>(&self, list: &str, code: &'a str) -> &'a str
    where
        'static: 'a,
    {
        CodeLists::shipped().label(list, code, self.locale)
    }

    /// The banner of a message that is no real case; none of a real one.
    pub(crate) fn status_banner(&self, status: &str) -> Option<&'static str> {
        match status.parse() {
            Ok(Status::Exercise) => Some(self.words().exercise()),
            Ok(Status::Test) => Some(self.words().test()),
            _ => None,
        }
    }

    /// The members of `content` as indented lines, by the schema `received/<type>` or `draft/<type>`.
    pub(crate) fn members(
        &self,
        schema_path: &str,
        definition: &str,
        content: &Value,
        indent: usize,
    ) -> String {
        let Value::Object(object) = content else { return format!("{content:#}\n") };
        let root = schema_of(schema_path);
        let definition_schema = if definition == DRAFT { &root } else { &root["$defs"][definition] };
        let mut text = String::new();
        Writer { reader: self, root: &root, text: &mut text }.members(
            definition_schema,
            definition,
            object,
            indent,
        );
        safe(&text)
    }

    /// The definition of a type's body: `Alert`.
    pub(crate) fn body_definition(schema_path: &str) -> String {
        let root = schema_of(schema_path);
        name_of(&root["properties"]["body"]).unwrap_or_default().to_owned()
    }
}

/// The code list of the facets of a family, by the kind of a case or the type of a message.
pub(crate) fn facet_list(kind: &str) -> &'static str {
    match kind.split('.').next() {
        Some("request") => "request_kinds",
        Some("hit") => "matched_kinds",
        _ => "categories",
    }
}

/// The definition that stands for a whole draft.
pub(crate) const DRAFT: &str = "Draft";

/// The generated schema at this path; `null` for a type of a later version.
fn schema_of(path: &str) -> Value {
    let path = format!("{path}.json");
    let file = schema::files().into_iter().find(|file| file.path == path);
    file.and_then(|file| serde_json::from_str(&file.text).ok()).unwrap_or_default()
}

fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

struct Writer<'a> {
    reader: &'a Reader,
    root: &'a Value,
    text: &'a mut String,
}

impl Writer<'_> {
    /// Writes each member on a line of its own: in the order of the schema, then those of later versions.
    fn members(&mut self, schema: &Value, definition: &str, object: &Map<String, Value>, indent: usize) {
        let known = schema["properties"].as_object();
        let in_order =
            known.into_iter().flat_map(|known| known.keys()).filter(|name| object.contains_key(*name));
        let of_later = object.keys().filter(|name| known.is_none_or(|known| !known.contains_key(*name)));
        // The key of a subject stands in its heading.
        let names: Vec<&String> = in_order.chain(of_later).filter(|name| *name != "key").collect();
        let label = |name: &str| field_label(definition, name, self.reader.locale).unwrap_or(name).to_owned();
        let labels: Vec<String> = names.iter().map(|name| label(name)).collect();
        let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).min(LABELS_MAX_CHARS);
        for (name, label) in names.into_iter().zip(labels) {
            self.member(&schema["properties"][name], &label, &object[name], indent, width);
        }
    }

    fn member(&mut self, schema: &Value, label: &str, value: &Value, indent: usize, width: usize) {
        let (schema, definition) = self.resolve(schema);
        let (schema, definition) = (schema.clone(), definition.to_owned());
        match (self.inline(&schema, &definition, value), value) {
            (Some(text), _) => self.line(label, &text, indent, width),
            (None, Value::Array(items)) => {
                let (item_schema, item_definition) = self.resolve(&schema["items"]);
                let (item_schema, item_definition) = (item_schema.clone(), item_definition.to_owned());
                for item in items {
                    let key = item["key"].as_str().map_or(String::new(), |key| format!(" {key}"));
                    self.nested(&item_schema, &item_definition, &format!("{label}{key}"), item, indent);
                }
            }
            (None, _) => self.nested(&schema, &definition, label, value, indent),
        }
    }

    fn nested(&mut self, schema: &Value, definition: &str, heading: &str, value: &Value, indent: usize) {
        let _ = writeln!(self.text, "{:indent$}{heading}", "");
        match value {
            Value::Object(object) => self.members(schema, definition, object, indent + 2),
            other => {
                let _ = writeln!(self.text, "{:indent$}  {other}", "");
            }
        }
    }

    fn line(&mut self, label: &str, text: &str, indent: usize, width: usize) {
        // Writing to a text does not fail.
        let _ = if text.contains('\n') {
            let lines: Vec<String> = text.lines().map(|line| format!("{:indent$}  {line}", "")).collect();
            writeln!(self.text, "{:indent$}{label}\n{}", "", lines.join("\n"))
        } else {
            writeln!(self.text, "{:indent$}{label:<width$}  {text}", "")
        };
    }

    /// Follows a `$ref`: the schema, and the name of its definition.
    fn resolve<'s>(&'s self, schema: &'s Value) -> (&'s Value, &'s str) {
        match name_of(schema) {
            Some(name) => (&self.root["$defs"][name], name),
            None => (schema, ""),
        }
    }

    /// A value that fits behind its label; `None` for an object or a list of objects.
    fn inline(&self, schema: &Value, definition: &str, value: &Value) -> Option<String> {
        match value {
            Value::Array(items) => {
                let (schema, definition) = self.resolve(&schema["items"]);
                let items: Option<Vec<String>> =
                    items.iter().map(|item| self.inline(schema, definition, item)).collect();
                // The lines of a machine-readable zone stand below each other.
                Some(items?.join(if definition == "MrzLine" { "\n" } else { "; " }))
            }
            Value::Object(object) => self.short_object(schema, definition, object),
            Value::Bool(truth) => {
                let words = self.reader.words();
                Some(if *truth { words.yes() } else { words.no() }.to_owned())
            }
            Value::String(text) => Some(self.text(schema, definition, text)),
            other => Some(other.to_string()),
        }
    }

    fn text(&self, schema: &Value, definition: &str, text: &str) -> String {
        let of_words = LISTS_OF_WORDS.iter().find(|(name, _)| *name == definition).map(|(_, list)| *list);
        if let Some(list) = schema["x-code-list"].as_str().or(of_words) {
            return self.reader.label(list, text).to_owned();
        }
        match definition {
            "AgencyCode" => self.reader.agencies.text(text),
            "Timestamp" => text.parse::<Timestamp>().map_or_else(|_| text.to_owned(), moments::local),
            _ => text.to_owned(),
        }
    }

    /// Objects that read best on one line.
    fn short_object(&self, schema: &Value, definition: &str, object: &Map<String, Value>) -> Option<String> {
        let member = |name: &str| {
            let (schema, definition) = self.resolve(&schema["properties"][name]);
            self.inline(schema, definition, object.get(name)?)
        };
        match definition {
            "Plate" => Some(format!("{} ({})", member("number")?, member("country")?)),
            "Evaluation" => {
                let grades = [object.get("source")?.as_str()?, object.get("information")?.as_str()?].concat();
                Some(format!("{grades}: {}; {}", member("source")?, member("information")?))
            }
            "BirthDate" => {
                let parts = ["year", "month", "day"].map(|name| object.get(name).and_then(Value::as_i64));
                let date: Vec<String> =
                    parts.into_iter().flatten().map(|part| format!("{part:02}")).collect();
                Some(format!("{} ({})", date.join("-"), member("precision")?))
            }
            _ => None,
        }
    }
}
