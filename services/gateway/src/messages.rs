//! Queries on the messages that the store has, sent and received. Every query is for one agency: the one of the permit, or of
//! the caller's token.

pub(crate) mod events;
pub(crate) mod handling;
pub(crate) mod inbox;
pub(crate) mod live;
pub(crate) mod lookup;
pub(crate) mod receipts;
pub(crate) mod received;
pub(crate) mod sent;
pub(crate) mod sent_list;
pub(crate) mod streams;
pub(crate) mod trace;
