//! The rules that a schema cannot say.
//!
//! Each looks through a [`View`] and passes over what is missing or misshapen: the schema has told
//! that already, and the other rules still have their say.

mod address;
mod category;
mod codes;
mod document;
mod person;
mod place;
mod terms;
mod things;
mod validity;

use crate::{
    alert::Category,
    draft::ValidationContext,
    fault::{FaultCode, Finding},
    pointer::Pointer,
    view::View,
};

/// What a rule looks at and where it tells what it finds.
struct Checker<'a> {
    draft: View<'a>,
    context: &'a ValidationContext<'a>,
    found: &'a mut Vec<Finding>,
}

/// Checks every rule and adds what it finds.
pub(super) fn check(draft: View<'_>, context: &ValidationContext<'_>, found: &mut Vec<Finding>) {
    let mut checker = Checker { draft, context, found };
    address::check(&mut checker);
    codes::check(&mut checker);
    terms::check(&mut checker);
    validity::check(&mut checker);
    category::check(&mut checker);
    person::check(&mut checker);
    document::check(&mut checker);
    things::check(&mut checker);
    place::check(&mut checker);
}

impl<'a> Checker<'a> {
    fn tell(&mut self, at: &Pointer, code: FaultCode) {
        self.found.push(Finding::new(at, code));
    }

    fn tell_with(&mut self, at: &Pointer, code: FaultCode, detail: impl Into<String>) {
        self.found.push(Finding::with(at, code, detail));
    }

    fn terms(&self) -> View<'a> {
        self.draft.field("terms")
    }

    fn alert(&self) -> View<'a> {
        self.draft.field("body")
    }

    fn subjects(&self) -> View<'a> {
        self.alert().field("subjects")
    }

    fn category(&self) -> Option<Category> {
        self.alert().field("category").parsed()
    }
}
