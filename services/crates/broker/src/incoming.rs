//! What may reach lapin of the bytes that a broker sends.
//!
//! Whoever may publish writes a message's properties and headers, and AMQP cannot split them over frames. lapin ends the
//! connection over a frame that is larger than agreed, or over text that is not UTF-8, and reads tables in tables by
//! recursion. The broker then delivers the same message again, to the same end: one message would stop its queue for ever, and
//! every other queue of that connection with it. So this module stands between TLS and lapin, reads every content header
//! itself, and hands on a small one: the properties that services use, or the reason why there are none.

mod frames;
mod header;
mod stream;

pub(crate) use header::FAULT;
pub use header::HeaderFault;
pub(crate) use stream::{FilteredStream, runtime};
