//! Sample messages as a bundle holds them, varied from the valid examples.

use std::{error::Error, fs, path::PathBuf};

use rovuma_schemas::{CodeLists, Header, SubjectKind, Timestamp};
use serde_json::{Map, Value, json};

use crate::{
    corpus::{self, FAMILY, GIVEN},
    random::Random,
};

/// Fields that hold a code, with the list that it is from.
const CODES: [(&str, &str); 14] = [
    ("offences", "offences"),
    ("actions", "actions"),
    ("warnings", "warnings"),
    ("purpose", "purposes"),
    ("legal_basis", "legal_bases"),
    ("reason", "urgency_reasons"),
    ("role", "person_roles"),
    ("colour", "colours"),
    ("nationalities", "states"),
    ("crossing", "crossings"),
    ("subdivision", "subdivisions"),
    ("language", "languages"),
    ("source", "evaluation_source"),
    ("information", "evaluation_information"),
];

/// Fields that hold sentences.
const TEXTS: [&str; 7] = ["circumstances", "statement", "note", "restriction", "marks", "change", "proposal"];

/// How often a sample is an alert or follows one, rather than a receipt or stream message, out of ten.
const ALERTS_OF_TEN: usize = 7;

/// Where a sample's free texts come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Texts {
    /// Sentences of the corpus.
    Invented,
    /// The example itself.
    Own,
}

/// One valid example as a whole message.
struct Example {
    name: String,
    message: Map<String, Value>,
}

/// The examples to vary.
pub(crate) struct Samples {
    alerts: Vec<Example>,
    others: Vec<Example>,
}

impl Samples {
    pub(crate) fn load() -> Result<Self, Box<dyn Error>> {
        let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "examples", "valid"].iter().collect();
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        paths.sort();
        let (mut alerts, mut others) = (Vec::new(), Vec::new());
        for path in paths {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let value: Map<String, Value> = serde_json::from_slice(&fs::read(&path)?)?;
            match value.contains_key("header") {
                false => alerts.push(Example { name, message: released(value) }),
                // Its draft is there too.
                true if value.contains_key("terms") => {}
                true => others.push(Example { name, message: value }),
            }
        }
        Ok(Self { alerts, others })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.alerts.iter().chain(&self.others).map(|example| example.name.as_str())
    }

    /// The bytes of one message of a random type in a bundle.
    pub(crate) fn bundle_of_one(&self, random: &mut Random) -> Result<Vec<u8>, Box<dyn Error>> {
        let from = if random.below(10) < ALERTS_OF_TEN { &self.alerts } else { &self.others };
        packed(random.pick(from), Texts::Invented, random)
    }

    /// The same for a message varied from one example, with the example's own texts: words that no
    /// training message had.
    pub(crate) fn bundle_of(&self, name: &str, random: &mut Random) -> Result<Vec<u8>, Box<dyn Error>> {
        let found = self.alerts.iter().chain(&self.others).find(|example| example.name == name);
        packed(found.ok_or("no such example")?, Texts::Own, random)
    }
}

/// A draft as the message that it becomes.
fn released(mut draft: Map<String, Value>) -> Map<String, Value> {
    let case = draft.remove("case");
    // A message that follows goes to the parties of its case, here from its opener to two of the other country.
    let owner = case.as_ref().and_then(|case| case["owner"].as_str()).unwrap_or_default();
    let parties = if owner.starts_with("mz") { ["tz.tpf", "tz.tisd"] } else { ["mz.prm", "mz.sernic"] };
    let recipients = match draft.get("recipients").and_then(Value::as_array) {
        Some(recipients) => recipients.clone(),
        None => parties.map(Value::from).to_vec(),
    };
    let numbered = |agency: &Value| json!({ "agency": agency, "lane": "normal", "stream": "", "number": 1 });
    let to_tanzania = recipients.iter().any(|agency| agency.as_str().is_some_and(|a| a.starts_with("tz")));
    let mut sender = json!({ "agency": if to_tanzania { "mz.prm" } else { "tz.tpf" } });
    if let Some(unit) = draft.remove("unit") {
        sender["unit"] = unit;
    }
    sender["officer"] = json!("");
    let mut header = json!({
        "id": "", "type": draft["type"], "version": "1.1", "status": "actual", "sender": sender,
        "recipients": recipients.iter().map(numbered).collect::<Vec<_>>(), "created": "",
    });
    for name in ["reference", "in_reply_to"] {
        if let Some(value) = draft.remove(name) {
            header[name] = value;
        }
    }
    header["turn"] = json!(if case.is_some() { 2 } else { 1 });
    header["case"] = match case {
        Some(case) => case,
        None => {
            header["expires"] = json!("");
            let family = header["type"].as_str().and_then(|kind| kind.split('.').next()).unwrap_or_default();
            json!({ "kind": family, "owner": header["sender"]["agency"], "id": "" })
        }
    };
    let mut message = Map::new();
    message.insert("header".into(), header);
    message.extend(["terms", "body"].into_iter().filter_map(|part| draft.remove_entry(part)));
    match message["header"]["type"].as_str() {
        // A released alert always has an end, and a newer version its number.
        Some("alert.issue") => message["body"]["validity"] = json!({ "until": "" }),
        Some("alert.update") => message["body"]["version"] = json!(2),
        _ => {}
    }
    message
}

/// Length, protected header, payload and signature, as the envelope writes them.
fn packed(example: &Example, texts: Texts, random: &mut Random) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut message = Value::Object(example.message.clone());
    let language = message["terms"]["language"].as_str().unwrap_or("en").to_owned();
    repeat_entries(&mut message, random);
    vary(&mut message, "", texts, &language, random);
    name_case_and_subjects(&mut message);
    // Reading and writing keeps only the fields of this version's types, in their order.
    let _: Header = serde_json::from_value(message["header"].clone())?;
    let key = random.letters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 43);
    let protected = format!(r#"{{"alg":"EdDSA","typ":"rovuma+jws","kid":"{key}"}}"#);
    let payload = serde_json::to_vec(&message)?;
    let mut bytes = Vec::new();
    bytes.extend(u32::try_from(protected.len() + payload.len() + 66)?.to_be_bytes());
    bytes.extend(u16::try_from(protected.len())?.to_be_bytes());
    bytes.extend(protected.as_bytes());
    bytes.extend(payload);
    bytes.extend((0..64).map(|_| random.next().to_le_bytes()[3]));
    Ok(bytes)
}

/// An alert opens its own case, and each of its subjects has a key, in newer versions too.
fn name_case_and_subjects(message: &mut Value) {
    if message["header"]["type"] == "alert.issue" {
        message["header"]["case"]["id"] = message["header"]["id"].clone();
    }
    let is_newer = message["body"].get("alert").is_some();
    let content = if is_newer { &mut message["body"]["alert"] } else { &mut message["body"] };
    for kind in SubjectKind::ALL {
        let subjects = content.get_mut("subjects").and_then(|all| all.get_mut(kind.field()));
        let subjects = subjects.and_then(Value::as_array_mut).into_iter().flatten();
        for (number, subject) in (1..).zip(subjects.filter_map(Value::as_object_mut)) {
            let rest = std::mem::take(subject);
            subject.insert("key".to_owned(), json!(format!("{}{number}", kind.letter())));
            subject.extend(rest);
        }
    }
}

/// Receipts have 1 to 64 entries, mostly few.
fn repeat_entries(message: &mut Value, random: &mut Random) {
    let Some(entries) = message["body"].get_mut("entries").and_then(Value::as_array_mut) else { return };
    let count = [1, 1, 1, 2, 4, 8, 64][random.below(7)];
    let first = entries[0].clone();
    *entries = (0..count).map(|_| first.clone()).collect();
}

fn vary(value: &mut Value, field: &str, texts: Texts, language: &str, random: &mut Random) {
    match value {
        Value::Object(members) => {
            members.iter_mut().for_each(|(name, member)| vary(member, name, texts, language, random));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| vary(item, field, texts, language, random)),
        Value::String(_) if texts == Texts::Own && TEXTS.contains(&field) => {}
        Value::String(text) => *text = varied(text, field, language, random),
        Value::Number(_) if matches!(field, "number" | "sequence" | "last" | "from" | "to") => {
            *value = json!(1 + random.below(30_000));
        }
        _ => {}
    }
}

fn varied(text: &str, field: &str, language: &str, random: &mut Random) -> String {
    if let Some((_, list)) = CODES.iter().find(|(name, _)| *name == field) {
        return code(text, list, random);
    }
    match field {
        "id" | "in_reply_to" => message_id(random),
        "stream" | "epoch" => random.letters("0123456789abcdef", 32),
        "digest" | "bundle_digest" => {
            random.letters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl0123456789-_", 42) + "A"
        }
        "created" | "expires" | "until" | "stored_at" | "read_at" | "rejected_at" | "seen_at"
            if text.is_empty() || text.contains('T') =>
        {
            instant(random).to_string()
        }
        "printed" | "normalised" => format!("{} {}", random.pick(&GIVEN), random.pick(&FAMILY)),
        "surname" => (*random.pick(&FAMILY)).to_owned(),
        "given" => (*random.pick(&GIVEN)).to_owned(),
        "officer" => random.letters("0123456789abcdef", 16),
        _ if TEXTS.contains(&field) => {
            let count = 1 + random.below(3);
            (0..count).map(|_| *random.pick(corpus::sentences(language))).collect::<Vec<_>>().join(" ")
        }
        // Names of types, lanes and agencies stay; numbers within other texts change.
        "type" | "version" | "lane" | "agency" | "status" | "category" | "queue" | "code" => text.to_owned(),
        _ => text.chars().map(|c| if c.is_ascii_digit() { digit(random) } else { c }).collect(),
    }
}

/// A code of the list two times of three; the example's own otherwise, as it fits its category.
fn code(text: &str, list: &str, random: &mut Random) -> String {
    let entries = CodeLists::shipped().get(list).map(|list| list.entries.as_slice()).unwrap_or_default();
    // `source` of an audit position is no code, and of 250 states most alerts name two.
    let keep = random.below(3) == 0 || !entries.iter().any(|entry| entry.code == text);
    let likely = if list == "states" { &entries[..2] } else { entries };
    if keep { text.to_owned() } else { random.pick(likely).code.clone() }
}

/// A UUIDv7 of those years, drawn from the repeatable source.
fn message_id(random: &mut Random) -> String {
    let mut hex = |length| random.letters("0123456789abcdef", length);
    format!("019{}-{}-7{}-9{}-{}", hex(5), hex(4), hex(3), hex(3), hex(12))
}

fn digit(random: &mut Random) -> char {
    char::from(b'0' + u8::try_from(random.below(10)).unwrap_or(0))
}

/// Some time in the years 2026 to 2030, to the microsecond.
fn instant(random: &mut Random) -> Timestamp {
    let micros = 1_767_225_600_000_000 + i64::try_from(random.below(150_000_000_000_000)).unwrap_or(0);
    Timestamp::from_micros(micros).unwrap_or_else(|_| Timestamp::system_now())
}
