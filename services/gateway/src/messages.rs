//! What has been sent and received, as the store keeps it. Every query is for one agency: the one of the
//! permit, or of the caller's token.

pub(crate) mod events;
pub(crate) mod found;
pub(crate) mod inbox;
pub(crate) mod receipts;
pub(crate) mod received;
pub(crate) mod sent;
pub(crate) mod sent_list;
pub(crate) mod streams;
pub(crate) mod trace;
