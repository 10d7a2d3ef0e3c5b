//! `/v1/messages`: sending one at once, and what is known of one that was sent or received.

mod jws;
mod mark_read;
mod one;
mod read;
mod send;
mod trace;

use rovuma_api::answers::gateway;

use crate::messages::receipts::Receipt;

pub(super) use self::{jws::*, mark_read::*, read::*, send::*, trace::*};

fn receipt_view(receipt: Receipt) -> gateway::Receipt {
    gateway::Receipt {
        recipient: receipt.recipient,
        kind: receipt.kind,
        post: receipt.post,
        said_at: receipt.said_at,
        received_at: receipt.received_at,
        code: receipt.code,
        detail: receipt.detail,
        audit: receipt.audit,
        receipt: receipt.receipt,
    }
}
