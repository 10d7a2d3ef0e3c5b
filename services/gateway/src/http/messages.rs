//! `/v1/messages`: sending one at once, and what is known of one that was sent or received.

mod jws;
mod mark_read;
mod one;
mod read;
mod send;
mod trace;

pub(super) use self::{jws::*, mark_read::*, read::*, send::*, trace::*};
