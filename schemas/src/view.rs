//! A lenient look into JSON: what is missing or of another type is simply not there.
//!
//! Rules look through it rather than at typed values, so that one misshapen field does not keep
//! the other faults of a draft from being told.

use std::str::FromStr;

use serde_json::Value;

use crate::pointer::Pointer;

/// A place in a JSON document and what stands there, if anything.
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

    /// Whether one of the members `names` is there.
    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.field(name).is_there())
    }

    /// Whether something stands here.
    pub(crate) fn is_there(&self) -> bool {
        self.value.is_some()
    }

    /// The JSON that stands here.
    pub(crate) fn value(&self) -> Option<&'a Value> {
        self.value
    }

    /// The text that stands here.
    pub(crate) fn text(&self) -> Option<&'a str> {
        self.value.and_then(Value::as_str)
    }

    /// The whole number that stands here, if it is not negative.
    pub(crate) fn count(&self) -> Option<u64> {
        self.value.and_then(Value::as_u64)
    }

    /// The whole number that stands here.
    pub(crate) fn integer(&self) -> Option<i64> {
        self.value.and_then(Value::as_i64)
    }

    /// The truth value that stands here.
    pub(crate) fn truth(&self) -> Option<bool> {
        self.value.and_then(Value::as_bool)
    }

    /// The text that stands here, if it is a `T`.
    pub(crate) fn parsed<T: FromStr>(&self) -> Option<T> {
        self.text().and_then(|text| text.parse().ok())
    }
}
