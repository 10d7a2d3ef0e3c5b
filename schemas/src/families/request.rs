//! `request.*`: one agency asks another for assistance by numbered questions, and the other answers by their numbers.

mod acknowledge;
mod answer;
mod ask;
mod cancel;
mod clarify;
mod close;
mod contact;
mod delay;
mod limits;
mod question;
mod refuse;
mod remind;
mod submit;
pub(crate) mod template;

pub use acknowledge::Acknowledge;
pub use answer::{Answer, AnswerPartial, AnswerResult, NumberedAnswer};
pub use ask::Ask;
pub use cancel::{Cancel, CancelReason};
pub use clarify::Clarify;
pub use close::{Close, OutcomeCode};
pub use contact::{AlsoSent, ChannelCode, Contact};
pub use delay::{Delay, DelayReason};
pub use limits::{ANSWER_HOURS_MAX, AnswerLimits};
pub use question::{Question, QuestionCode, QuestionNumber, QuestionRule, question_rule};
pub use refuse::{RefusalReason, Refuse};
pub use remind::Remind;
pub use submit::{NeededBy, ReasonHeld, ReasonHeldCode, RequestKind, Submit, Use};
