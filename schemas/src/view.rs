//! A lenient view of JSON: a value that is missing or of another type counts as absent.
//!
//! Rules read a draft through it, not as typed values, so that one misshapen field does not hide the other faults.

use std::str::FromStr;

use serde_json::Value;

use crate::pointer::Pointer;

/// A pointer into a JSON document and the value there, if any.
#[derive(Clone)]
pub(crate) struct View<'a> {
    value: Option<&'a Value>,
    pub(crate) at: Pointer,
}

impl<'a> View<'a> {
    /// The whole document.
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value: Some(value), at: Pointer::default() }
    }

    /// The member `name`.
    pub(crate) fn field(&self, name: &str) -> Self {
        Self { value: self.value.and_then(|value| value.get(name)), at: self.at.field(name) }
    }

    /// The item `index`.
    pub(crate) fn item(&self, index: usize) -> Self {
        Self { value: self.value.and_then(|value| value.get(index)), at: self.at.item(index) }
    }

    /// The items of an array; none of anything else.
    pub(crate) fn items(&self) -> Vec<Self> {
        let list = self.value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let place = |(index, value)| Self { value: Some(value), at: self.at.item(index) };
        list.iter().enumerate().map(place).collect()
    }

    /// Whether one of the members `names` is present.
    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.field(name).is_there())
    }

    /// Whether there is a value.
    pub(crate) fn is_there(&self) -> bool {
        self.value.is_some()
    }

    /// The JSON value.
    pub(crate) fn value(&self) -> Option<&'a Value> {
        self.value
    }

    /// The value, if it is a text.
    pub(crate) fn text(&self) -> Option<&'a str> {
        self.value.and_then(Value::as_str)
    }

    /// The value, if it is a whole number that is not negative.
    pub(crate) fn count(&self) -> Option<u64> {
        self.value.and_then(Value::as_u64)
    }

    /// The value, if it is a whole number.
    pub(crate) fn integer(&self) -> Option<i64> {
        self.value.and_then(Value::as_i64)
    }

    /// The value, if it is a boolean.
    pub(crate) fn truth(&self) -> Option<bool> {
        self.value.and_then(Value::as_bool)
    }

    /// The value, if it is a text that parses as a `T`.
    pub(crate) fn parsed<T: FromStr>(&self) -> Option<T> {
        self.text().and_then(|text| text.parse().ok())
    }
}
