//! Cases of requests for assistance, and of questions for leave.

use rovuma_schemas::{AgencyCode, CaseId, Date, MessageId, SubjectKey, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is particular to the case of a request for assistance. The times of both sides run from signed receipts to signed messages:
/// the line's time is nobody's.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RequestCase {
    /// Who is to answer; absent while the request itself has not arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub answerer: Option<AgencyCode>,
    /// Whether a database of the answerer answers every question, so that its own system may.
    pub direct: bool,
    /// The questions in the order of their numbers, each with its last answer.
    pub questions: Vec<RequestQuestion>,
    /// Whether the answerer has taken it up.
    pub acknowledged: bool,
    /// When the answerer expects to answer. It moves no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expected_by: Option<Timestamp>,
    /// By when the requester needs the answer. It moves no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub needed_by: Option<Timestamp>,
    /// The answerer's time in hours, as the request states it.
    pub limit_hours: u64,
    /// How much of it the answerer has had, in seconds; absent while no receipt says that the request was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent_s: Option<u64>,
    /// `in_time`, `within_delay` (beyond the limit, within the delay that the answerer asked for) or `late`: at this instant, or when it
    /// was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub punctuality: Option<String>,
    /// Whether whoever must act is past the limit.
    pub overdue: bool,
    /// The new limit that the answerer asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delayed_until: Option<Timestamp>,
    /// Why it takes longer, a code of the list `delay_reasons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_reason: Option<String>,
    /// Whether the requester has left a question open for too long: the answerer may refuse the request as not compliant.
    pub clarification_overdue: bool,
    /// When the requester last reminded the answerer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub reminded_at: Option<Timestamp>,
    /// When it was answered or refused for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub settled_at: Option<Timestamp>,
    /// Why it was refused, a code of the list `refusal_reasons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Who may have what was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub try_agency: Option<AgencyCode>,
    /// Why it was cancelled, a code of the list `cancel_reasons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<String>,
    /// Whether a cancellation came too late: the answer stands.
    pub cancelled_late: bool,
    /// Whether data was disclosed.
    pub disclosed: bool,
    /// Whether the requester must erase what was disclosed before it cancelled, and certify that.
    pub erasure_due: bool,
    /// What came of it, codes of the list `request_outcomes`.
    pub outcomes: Vec<String>,
    /// Whether nothing was written for 30 days and nothing is settled.
    pub dormant: bool,
    /// The common mark of requests that ask several agencies the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub group: Option<MessageId>,
    /// Until when a second person must confirm its emergency release; afterwards nobody acts on it until somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirm_by: Option<Timestamp>,
    /// The last day on which its data may be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub retain_until: Option<Date>,
    /// What each party certified to have done with the data.
    pub certificates: Vec<CaseCertificate>,
}

/// A question of a request, and its last answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RequestQuestion {
    /// Its number.
    pub n: u8,
    /// What is asked, a code of the list `questions`.
    pub ask: String,
    /// The key of its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub subject: Option<SubjectKey>,
    /// The result, a code of the list `answer_results`; absent before an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Why it is refused, a code of the list `refusal_reasons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who may have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub try_agency: Option<AgencyCode>,
    /// When the answer comes that was left for later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expected_by: Option<Timestamp>,
    /// The message that answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub message: Option<MessageId>,
}

/// What an agency certified to have done with the data of a case.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseCertificate {
    /// The agency.
    #[schema(value_type = String)]
    pub agency: AgencyCode,
    /// A code of the list `purge_outcomes`.
    pub outcome: String,
}

/// What is particular to the case of a question for leave.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PermissionCase {
    /// The agency that is to decide; absent while the question itself has not arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub decides: Option<AgencyCode>,
    /// The case that holds what leave is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub about: Option<CaseId>,
    /// The message in it; every message of the deciding agency where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub message: Option<MessageId>,
    /// The uses, codes of the list `permission_uses`.
    pub uses: Vec<String>,
    /// The agencies that are to have it.
    #[schema(value_type = Vec<String>)]
    pub to: Vec<AgencyCode>,
    /// The last day of the leave, if it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub until: Option<Date>,
    /// What each party certified to have done with the data.
    pub certificates: Vec<CaseCertificate>,
}

/// What is particular to the case of information that was shared.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InfoCase {
    /// Until when a second person must confirm its emergency release; afterwards nobody acts on it until somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirm_by: Option<Timestamp>,
    /// What each party certified to have done with the data.
    pub certificates: Vec<CaseCertificate>,
}

/// Figures about the requests of a period. Exercises are counted apart.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RequestFigures {
    /// The first instant of the period.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// `actual`, `exercise` or `test`.
    pub status: String,
    /// How many there are, each with the list that it is the length of.
    pub figures: Vec<RequestFigure>,
    /// How long the parties took, each of its own time: the line's is nobody's.
    pub times: Vec<PartyTimes>,
    /// How often each question was asked, by its result.
    pub questions: Vec<QuestionResults>,
}

/// One figure.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RequestFigure {
    /// `sent` or `received`.
    pub direction: String,
    /// What is counted: `all`, `open`, `overdue`, `answered`, `refused`, `refused.<code>`, `cancelled`, `closed`, `in_time`,
    /// `within_delay` or `late`.
    pub figure: String,
    /// How many.
    pub count: u64,
    /// The path of the list that it is the length of.
    pub cases: String,
}

/// How long a party took.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PartyTimes {
    /// `sent` or `received`.
    pub direction: String,
    /// `answerer`: until the first answer or refusal. `requester`: for clarifications.
    pub party: String,
    /// Of requests with this question, a code of the list `questions`; of all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// How many requests it is measured from: those in which the party did its part, and a receipt tells when it began.
    pub count: u64,
    /// The median of the parties' time, in seconds.
    pub median_s: u64,
    /// The time that nine in ten took at most, in seconds.
    pub p90_s: u64,
}

/// How often a question was asked.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QuestionResults {
    /// `sent` or `received`.
    pub direction: String,
    /// A code of the list `questions`.
    pub question: String,
    /// A code of the list `answer_results`; absent before an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// How many.
    pub count: u64,
}
