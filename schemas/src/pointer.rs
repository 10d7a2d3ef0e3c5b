//! JSON Pointers (RFC 6901), built from the root down.

use std::fmt;

/// The pointer to a value in a JSON document: `/body/subjects/vehicles/0/vin`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pointer(String);

impl Pointer {
    /// The pointer with this text.
    pub(crate) fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The member `name` of the object here.
    pub(crate) fn field(&self, name: &str) -> Self {
        let mut text = String::with_capacity(self.0.len() + 1 + name.len());
        text.push_str(&self.0);
        text.push('/');
        // A fast path: checks make a pointer for every field, and hardly any name has these characters.
        if name.contains(['~', '/']) {
            text.push_str(&name.replace('~', "~0").replace('/', "~1"));
        } else {
            text.push_str(name);
        }
        Self(text)
    }

    /// Whether it points to what is at `place`, or to a part of that.
    pub(crate) fn is_within(&self, place: &Self) -> bool {
        self.0.strip_prefix(&place.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The bytes of its text.
    pub(crate) fn size_bytes(&self) -> usize {
        self.0.len()
    }

    /// The item `index` of the array here.
    pub(crate) fn item(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_rfc_6901_says() {
        assert_eq!(Pointer::default().field("a/b~c").item(3).to_string(), "/a~1b~0c/3");
    }

    #[test]
    fn what_is_within_a_place_begins_with_its_whole_name() {
        let place = Pointer::default().field("birth");
        assert!(place.is_within(&place) && place.field("year").is_within(&place));
        assert!(
            !Pointer::default().field("birth_place").is_within(&place)
                && !Pointer::default().is_within(&place)
        );
        assert!(place.is_within(&Pointer::default()));
    }
}
