//! Erases the content of cases at the end of their retention, and certifies it to the agencies that sent them.
//!
//! A case is [`due`] once it is over and the last day on which its data may be kept has passed, unless somebody [holds](hold) it
//! back or a message of ours in it has no receipt yet. [`job`] erases what is due, daily, each case in a transaction of its
//! own: so a run that is broken off leaves whole cases erased and others whole, and the next run goes on with those.
//!
//! What is erased is [`contents`]: the signed bytes and the drafts of one agency's view of the case. Rows, digests and ids
//! stay, so that a duplicate is still recognised and every proof still verifies (decision 26).

mod certificate;
mod contents;
pub(crate) mod due;
mod erase;
pub(crate) mod hold;
pub(crate) mod job;
mod states;
