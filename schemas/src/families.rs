//! The families: officers' messages about one kind of matter. Each family has a module here, with the bodies of its types and
//! their rules, and rows in the table of `kind`. Nothing else in this crate depends on a family.

pub mod alert;
pub mod any_case;
pub mod hit;
pub mod info;
pub mod permission;
pub mod request;
#[cfg(test)]
pub(crate) mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde_json::Value;

use crate::{
    BadId, CodeLists, Identifier, Locale, SecondPersonReason, SubjectKey, Terms, Timestamp,
    draft::{Checker, Remark},
    fault::Finding,
    pointer::Pointer,
    template::{Plan, TemplateContext},
    view::View,
    words::shaped_text,
};

/// The messages about one kind of matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `alert.*`
    Alert,
    /// `request.*`
    Request,
    /// `hit.*`
    Hit,
    /// `info.*`
    Info,
    /// `permission.*`
    Permission,
}

impl Family {
    /// Every family.
    pub const ALL: &'static [Self] = &[Self::Alert, Self::Request, Self::Hit, Self::Info, Self::Permission];

    /// The first part of its types' names, which is also the kind of its cases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Request => "request",
            Self::Hit => "hit",
            Self::Info => "info",
            Self::Permission => "permission",
        }
    }

    /// Whether a person weighs what is sent in it, unless a database gives the answer, or an exact rule the hit.
    pub const fn is_weighed(self) -> bool {
        matches!(self, Self::Request | Self::Hit)
    }

    /// Every facet that this version knows.
    pub fn facets(self) -> Vec<&'static str> {
        match self {
            Self::Alert => alert::Category::ALL.iter().map(|category| category.as_str()).collect(),
            Self::Request => listed("request_kinds"),
            Self::Hit => listed("matched_kinds"),
            Self::Info | Self::Permission => Vec::new(),
        }
    }
}

/// The codes of a list.
fn listed(list: &str) -> Vec<&'static str> {
    let list = CodeLists::shipped().get(list);
    list.iter().flat_map(|list| &list.entries).map(|entry| entry.code.as_str()).collect()
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

/// The names of all templates: those of each family, and those of the messages that follow in any case.
pub(crate) fn template_names() -> Vec<&'static str> {
    let of_family = |family: &Family| match family {
        Family::Alert => alert::template::names(),
        Family::Request => request::template::names(),
        Family::Hit => hit::template::names(),
        Family::Info => info::template::names(),
        Family::Permission => permission::template::names(),
    };
    Family::ALL.iter().flat_map(of_family).chain(any_case::template::names()).collect()
}

/// What the kind of draft of this name needs; `None` where no kind has this name.
pub(crate) fn template_plan(name: &str, context: &TemplateContext<'_>) -> Option<Plan> {
    let of_family = |family: &Family| match family {
        Family::Alert => alert::template::plan(name, context),
        Family::Request => request::template::plan(name, context),
        Family::Hit => hit::template::plan(name, context),
        Family::Info => info::template::plan(name, context),
        Family::Permission => permission::template::plan(name, context),
    };
    Family::ALL.iter().find_map(of_family).or_else(|| any_case::template::plan(name))
}

shaped_text!(
    /// A facet: the code by which lists tell the messages of a family apart, such as the category of an alert.
    Facet, "a code word", crate::words::is_code,
    { "type": "string", "pattern": "^[A-Za-z0-9_.-]{1,48}$" }
);

/// Whom a type of message is reserved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// Nobody: its author may release it, or a second person where its content requires one.
    No,
    /// A supervisor releases it: it ends or prolongs something, or vouches for it.
    Supervisor,
    /// A supervisor releases such messages, but this one cannot wait: it frees an innocent person. A liaison officer may release it,
    /// and the supervisor is told at once.
    CannotWait,
}

/// What a message that follows in a case must know of the case: of an alert the versions before, of a request its questions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseSoFar {
    /// The highest version; 0 where there is none.
    pub version: u32,
    /// The keys of the subjects of that version.
    pub keys: BTreeSet<SubjectKey>,
    /// For each letter, the highest number that a key has had in any version: no key is used again for another subject.
    pub numbers_used: BTreeMap<char, u16>,
    /// When the content ends by itself.
    pub ends: Option<Timestamp>,
    /// The latest end that it may get now.
    pub latest_end: Option<Timestamp>,
    /// The numbers of the questions.
    pub questions: BTreeSet<u8>,
    /// The numbers of the questions that have no answer yet, or that an answer leaves for later.
    pub open_questions: BTreeSet<u8>,
}

/// What the values depend on that are set at release.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtRelease<'a> {
    pub(crate) created: Timestamp,
    pub(crate) terms: &'a Terms,
    pub(crate) case: &'a CaseSoFar,
    /// The hours that the agreement on which the message rests gives to answer.
    pub(crate) answer_limits: &'a request::AnswerLimits,
}

/// The body of an operational message. Each type implements it once, with every rule that differs by type.
///
/// The functions about drafts read JSON through a [`View`], not typed values: a draft may be incomplete, and a misshapen field
/// must not hide the other faults.
pub(crate) trait Operational {
    /// Adds every fault of a draft that its schema cannot express.
    fn check(checker: &mut Checker<'_>)
    where
        Self: Sized;

    /// Puts right in the body of a draft what is certain, before the checks, and adds a remark about each change.
    fn put_right(_body: &mut Value, _at: &Pointer, _remarks: &mut Vec<Remark>)
    where
        Self: Sized,
    {
    }

    /// Adds remarks about what the author of a draft should look at again although it is no fault.
    fn remark(_body: &View<'_>, _remarks: &mut Vec<Remark>)
    where
        Self: Sized,
    {
    }

    /// Adds the faults of a received message that its schema cannot express and that would mislead a recipient. The other
    /// rules for drafts are the sender's own and are not checked again.
    fn check_received(_body: &View<'_>, _found: &mut Vec<Finding>)
    where
        Self: Sized,
    {
    }

    /// The reasons in the body for which a second person must release the draft (domain 5).
    fn second_person(_body: &View<'_>) -> Vec<SecondPersonReason>
    where
        Self: Sized,
    {
        Vec::new()
    }

    /// Whom the draft is reserved for.
    fn reserved(_body: &View<'_>) -> Reserved
    where
        Self: Sized,
    {
        Reserved::No
    }

    /// Whether the body names a person: then the author must confirm the protection check.
    fn names_a_person(_body: &View<'_>) -> bool
    where
        Self: Sized,
    {
        false
    }

    /// Whether the body asks nothing but what a database of the recipient answers, or reports nothing but what an exact rule found, without
    /// an officer.
    fn is_direct(_body: &View<'_>) -> bool
    where
        Self: Sized,
    {
        false
    }

    /// Whether two messages of the type about the same persons and things are duplicates, which their author is warned of.
    fn has_duplicates() -> bool
    where
        Self: Sized,
    {
        false
    }

    /// By what the body is seen to be about the same persons and things as another, as far as it can be read.
    fn identifiers(_body: &View<'_>) -> Vec<Identifier>
    where
        Self: Sized,
    {
        Vec::new()
    }

    /// The version of the content that a released body brings; none of a body that brings none.
    fn content_version(_body: &View<'_>) -> Option<u32>
    where
        Self: Sized,
    {
        None
    }

    /// The facet of a draft: the code by which lists tell messages of the type apart.
    fn facet_of(_body: &View<'_>) -> Option<String>
    where
        Self: Sized,
    {
        None
    }

    /// The facet of a message.
    fn facet(&self) -> Option<&str> {
        None
    }

    /// Fills in the normalised form of names, once the body is valid.
    fn normalise(&mut self) {}

    /// Fills in the values that are set at release: keys of subjects, an end that the author left open, a version.
    fn complete(&mut self, _at: &AtRelease<'_>) {}

    /// Adds the faults that a follower's draft has because of what its case has come to.
    fn check_against(&self, _terms: &Terms, _earlier: &CaseSoFar, _found: &mut Vec<Finding>) {}

    /// When the content ends by itself, if the message is released at `created`.
    fn ends(&self, _created: Timestamp) -> Option<Timestamp> {
        None
    }

    /// One line in `locale` that names nobody.
    fn summary(&self, lists: &CodeLists, locale: Locale) -> String;
}
