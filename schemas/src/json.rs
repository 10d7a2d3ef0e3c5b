//! Reads JSON strictly: bounded in size and depth, and no name twice in one object.
//!
//! Readers differ in how they treat a name that occurs twice (RFC 8259 section 4), so a signed message could mean one thing to
//! the sender's lawyer and another to the recipient.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::{
    fault::{Detail, FaultCode, Finding, Findings},
    limits::{JSON_DEPTH_MAX, MESSAGE_MAX_BYTES},
    pointer::Pointer,
};

/// Reads one JSON value that fills `bytes`.
///
/// # Errors
/// The faults that show before the content is checked: too large, not JSON, too deep, or each name that occurs twice.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, Findings> {
    let root = Pointer::default();
    if bytes.len() > MESSAGE_MAX_BYTES {
        return Err(Finding::with(&root, FaultCode::TooLarge, MESSAGE_MAX_BYTES.to_string()).into());
    }
    if let Some(detail) = encoding(bytes) {
        return Err(Finding::with(&root, FaultCode::WrongEncoding, detail).into());
    }
    let mut found = Findings::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let outcome = Strict { path: &Path::Root, depth: 0, found: &mut found }.deserialize(&mut deserializer);
    match outcome.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) if found.is_empty() => Ok(value),
        Ok(_) => Err(found),
        Err(_) if found.kept().iter().any(|finding| finding.code == FaultCode::TooDeep) => Err(found),
        Err(error) => {
            // Line and column only: the text itself may contain anything.
            let place = format!("{}:{}", error.line(), error.column());
            Err(Finding::with(&root, FaultCode::NotJson, place).into())
        }
    }
}

/// What is wrong with the encoding, where it is not UTF-8 without a byte order mark: the usual ways in which programs save a text
/// otherwise are named.
fn encoding(bytes: &[u8]) -> Option<Detail> {
    // Half of the bytes of a JSON text in UTF-16 are zero, and JSON in UTF-8 has none.
    let is_utf16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]);
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Some(Detail::each(|hints, _| hints.bom().to_owned()));
    }
    if is_utf16 {
        return Some(Detail::each(|hints, _| hints.utf16().to_owned()));
    }
    let valid = std::str::from_utf8(bytes).err()?.valid_up_to();
    let before = &bytes[..valid];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    let place = format!("{line}:{column}");
    Some(Detail::each(|hints, _| hints.latin1(&place)))
}

/// The path from the root, rendered only when there is a fault.
enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn pointer(&self) -> Pointer {
        match self {
            Self::Root => Pointer::default(),
            Self::Field(parent, name) => parent.pointer().field(name),
            Self::Item(parent, index) => parent.pointer().item(*index),
        }
    }
}

/// Reads the value at `path`.
struct Strict<'a> {
    path: &'a Path<'a>,
    depth: usize,
    found: &'a mut Findings,
}

impl Strict<'_> {
    fn enter<E: Error>(&mut self) -> Result<(), E> {
        if self.depth < JSON_DEPTH_MAX {
            return Ok(());
        }
        let limit = JSON_DEPTH_MAX.to_string();
        self.found.keep(Finding::with(&self.path.pointer(), FaultCode::TooDeep, limit));
        Err(E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number without bounds"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut list = Vec::new();
        loop {
            let path = Path::Item(self.path, list.len());
            let seed = Strict { path: &path, depth: self.depth + 1, found: self.found };
            match items.next_element_seed(seed)? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = Path::Field(self.path, &name);
            let seed = Strict { path: &path, depth: self.depth + 1, found: self.found };
            let value = members.next_value_seed(seed)?;
            if object.contains_key(&name) {
                self.found.push_with(|| Finding::new(&path.pointer(), FaultCode::DuplicateKey));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn faults(text: &str) -> Vec<(String, &'static str)> {
        let found = read(text.as_bytes()).expect_err("must be refused");
        found.kept().iter().map(|finding| (finding.at.to_string(), finding.code.as_str())).collect()
    }

    #[test]
    fn a_name_that_stands_twice_is_told_with_its_place() {
        assert_eq!(
            faults(r#"{"a":[{"b":1,"b":2}],"c":1,"c":{}}"#),
            [("/a/0/b".into(), "duplicate_key"), ("/c".into(), "duplicate_key")]
        );
    }

    #[test]
    fn depth_has_an_end() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(JSON_DEPTH_MAX).as_bytes()).is_ok());
        assert_eq!(faults(&nested(JSON_DEPTH_MAX + 1))[0].1, "too_deep");
        assert_eq!(faults(&"[".repeat(200_000))[0].1, "too_deep");
    }

    #[test]
    fn what_is_not_json_is_refused_with_line_and_column_only() {
        for text in ["", "{", "nonsense", "{} {}", "[1,]", "{\"a\":1e999}"] {
            assert_eq!(faults(text), [(String::new(), "not_json")], "{text:?}");
        }
    }

    #[test]
    fn another_encoding_is_named() {
        let utf16 =
            |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        for (bytes, named) in [
            ("\u{feff}{}".as_bytes().to_vec(), "byte order mark"),
            (utf16("\u{feff}{}", u16::to_le_bytes), "UTF-16"),
            (utf16("\u{feff}{}", u16::to_be_bytes), "UTF-16"),
            (utf16("{}", u16::to_le_bytes), "UTF-16"),
            (utf16("{}", u16::to_be_bytes), "UTF-16"),
            (b"{\n  \"a\": \"Mo\xe7ambique\"}".to_vec(), "line:column 2:11"),
        ] {
            let found = read(&bytes).expect_err("must be refused");
            let [finding] = found.kept() else { panic!("{found:?}") };
            assert_eq!(finding.code, FaultCode::WrongEncoding, "{named}");
            let sentence = finding.clone().in_words(crate::Locale::En).message;
            assert!(sentence.contains(named), "{sentence}");
        }
    }

    #[test]
    fn size_has_an_end() {
        let text = format!("\"{}\"", "x".repeat(MESSAGE_MAX_BYTES - 2));
        assert!(read(text.as_bytes()).is_ok());
        assert_eq!(faults(&format!("{text} "))[0].1, "too_large");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
        }

        #[test]
        fn what_it_takes_is_what_serde_json_reads(text in r#"[\[\]{}",:0-9a-c.e\-]{0,40}"#) {
            if let Ok(value) = read(text.as_bytes()) {
                prop_assert_eq!(value, serde_json::from_str::<Value>(&text).expect("also JSON there"));
            }
        }
    }
}
