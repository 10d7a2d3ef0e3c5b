//! The answers of a gateway.

mod cases;
mod drafts;
mod events;
mod exchange;
mod lists;
mod messages;
mod reference;
mod requests;
mod retention;
mod trust;

pub use self::{
    cases::*, drafts::*, events::*, exchange::*, lists::*, messages::*, reference::*, requests::*,
    retention::*, trust::*,
};
