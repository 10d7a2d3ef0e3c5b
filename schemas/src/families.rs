//! The families: officers' messages about one kind of matter. Each family has a folder here, with the bodies of its types
//! and their rules, and rows in the table of [`crate::kind`]. Nothing else of this crate knows a family.

pub mod alert;

use std::{fmt, str::FromStr};

use crate::{
    BadId, CodeLists, Locale, SecondPersonReason, Timestamp, draft::Checker, fault::Finding, view::View,
    words::shaped_text,
};

/// The messages about one kind of matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `alert.*`
    Alert,
}

impl Family {
    /// Every family.
    pub const ALL: &'static [Self] = &[Self::Alert];

    /// The first part of its types' words, which is also the kind of the cases that they make up.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Family {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let known = Self::ALL.iter().copied().find(|known| known.as_str() == text);
        known.ok_or_else(|| BadId::new("a family of messages", text))
    }
}

shaped_text!(
    /// A facet: the code by which lists tell the messages of a family apart, such as the category of an alert.
    Facet, "a code word", crate::words::is_code,
    { "type": "string", "pattern": "^[A-Za-z0-9_.-]{1,48}$" }
);

/// The body of an operational message. One implementation a type says all that the rest of the project asks of it.
///
/// What is asked of a draft is asked of its JSON through a [`View`]: a draft may be incomplete, and a misshapen field
/// must not hide the other faults.
pub(crate) trait Operational {
    /// Adds every fault that the draft's schema cannot see.
    fn check(checker: &mut Checker<'_>)
    where
        Self: Sized;

    /// Adds what a recipient's reading rests on and the schema of a received message cannot see. The sender's own care
    /// for its drafts is not checked again.
    fn check_received(body: &View<'_>, found: &mut Vec<Finding>)
    where
        Self: Sized;

    /// Why a second person must release it, for all that its body says (domain 5).
    fn second_person(body: &View<'_>) -> Vec<SecondPersonReason>
    where
        Self: Sized;

    /// Whether it names a person: then the author must confirm the protection check.
    fn names_a_person(body: &View<'_>) -> bool
    where
        Self: Sized;

    /// The facet of a draft: the code by which lists tell messages of the type apart.
    fn facet_of(body: &View<'_>) -> Option<String>
    where
        Self: Sized;

    /// The facet of a message.
    fn facet(&self) -> Option<&str>;

    /// Brings it to its one form, as soon as it is valid: names get their normalised form.
    fn normalise(&mut self);

    /// Fills in what only the release knows: keys of subjects, an end that the author left open.
    fn complete(&mut self, created: Timestamp);

    /// When what it says ends of itself, if it is released at `created`.
    fn ends(&self, created: Timestamp) -> Option<Timestamp>;

    /// One line in `locale` that names nobody.
    fn summary(&self, lists: &CodeLists, locale: Locale) -> String;
}
