//! The answers of a gateway.

mod cases;
mod drafts;
mod events;
mod exchange;
mod hits;
mod lists;
mod messages;
mod reference;
mod requests;
mod retention;
mod screening;
mod trust;

pub use self::{
    cases::*, drafts::*, events::*, exchange::*, hits::*, lists::*, messages::*, reference::*, requests::*,
    retention::*, screening::*, trust::*,
};
