//! Resources, on which actions are done, and the context of an action.

use rovuma_schemas::{AgencyCode, MessageType};

/// The kind of a resource: an entity type of the Cedar schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// An agency as the owner of lists: its drafts, inbox, streams, users.
    Agency,
    /// A draft, with its author.
    Draft,
    /// An agency's copy of a sent or received message.
    Message,
    /// An agency's view of a case.
    Case,
    /// A user or machine client.
    Account,
    /// An agency's part of the audit log.
    AuditLog,
    /// One audit event.
    AuditEvent,
}

impl ResourceKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Agency,
        Self::Draft,
        Self::Message,
        Self::Case,
        Self::Account,
        Self::AuditLog,
        Self::AuditEvent,
    ];

    /// The entity type in the schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agency => "Agency",
            Self::Draft => "Draft",
            Self::Message => "Message",
            Self::Case => "Case",
            Self::Account => "Account",
            Self::AuditLog => "AuditLog",
            Self::AuditEvent => "AuditEvent",
        }
    }
}

/// The object of an action. Its agency must come from the store that holds it, never from the request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    pub(crate) kind: ResourceKind,
    pub(crate) id: String,
    pub(crate) agency: AgencyCode,
    /// Of a draft: the subject that wrote it.
    pub(crate) author: Option<String>,
    /// Of a draft: the type of the message that it becomes.
    pub(crate) message_type: Option<MessageType>,
}

impl Resource {
    /// The agency as the owner of its lists.
    pub fn agency(agency: &AgencyCode) -> Self {
        Self::new(ResourceKind::Agency, agency.as_str(), agency)
    }

    /// A draft that the subject `author` would write for `agency`. Its identifier is `new`, which no draft has.
    pub fn new_draft(agency: &AgencyCode, author: &str, message_type: MessageType) -> Self {
        Self::draft("new", agency, author, message_type)
    }

    /// A draft of `agency`, written by the subject `author`.
    pub fn draft(id: &str, agency: &AgencyCode, author: &str, message_type: MessageType) -> Self {
        Self {
            author: Some(author.to_owned()),
            message_type: Some(message_type),
            ..Self::new(ResourceKind::Draft, id, agency)
        }
    }

    /// The copy of a message that `agency` sent or received.
    pub fn message(id: &str, agency: &AgencyCode) -> Self {
        Self::new(ResourceKind::Message, id, agency)
    }

    /// The view that `agency` has of a case.
    pub fn case(name: &str, agency: &AgencyCode) -> Self {
        Self::new(ResourceKind::Case, name, agency)
    }

    /// The user or machine client with this subject identifier.
    pub fn account(subject: &str, agency: &AgencyCode) -> Self {
        Self::new(ResourceKind::Account, subject, agency)
    }

    /// The audit events of `agency`; with `<cc>.node` those of the whole country.
    pub fn audit_log(agency: &AgencyCode) -> Self {
        Self::new(ResourceKind::AuditLog, agency.as_str(), agency)
    }

    /// One audit event, by its identity as text. An event of no agency belongs to `<cc>.node`.
    pub fn audit_event(id: &str, agency: &AgencyCode) -> Self {
        Self::new(ResourceKind::AuditEvent, id, agency)
    }

    /// Its kind.
    pub fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// Its identifier.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The agency that it belongs to.
    pub fn owner(&self) -> &AgencyCode {
        &self.agency
    }

    fn new(kind: ResourceKind, id: &str, agency: &AgencyCode) -> Self {
        Self { kind, id: id.to_owned(), agency: agency.clone(), author: None, message_type: None }
    }
}

/// The circumstances on which an action's policies depend. They have no default: a question without those that its policies need
/// is refused with [`Code::PolicyFault`](crate::Code::PolicyFault).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    pub(crate) second_person_required: Option<bool>,
    pub(crate) emergency: Option<bool>,
    pub(crate) cannot_wait: Option<bool>,
    pub(crate) direct: Option<bool>,
    pub(crate) reason_stated: Option<bool>,
}

impl Context {
    /// For every action but `draft.release` and `message.read`.
    pub const NONE: Self = Self {
        second_person_required: None,
        emergency: None,
        cannot_wait: None,
        direct: None,
        reason_stated: None,
    };

    /// For `draft.release`: whether the content requires a second person (domain rules: alerts on persons, minors, handling codes
    /// H2 and H3). Neither an emergency nor something that cannot wait, nor a question or an answer that a database gives.
    pub const fn release(second_person_required: bool) -> Self {
        Self {
            second_person_required: Some(second_person_required),
            emergency: Some(false),
            cannot_wait: Some(false),
            direct: Some(false),
            reason_stated: None,
        }
    }

    /// The release of a draft that asks or answers nothing but what a database of the answerer holds.
    #[must_use]
    pub const fn that_a_database_answers(self, direct: bool) -> Self {
        Self { direct: Some(direct), ..self }
    }

    /// The release of a draft whose author says that it cannot wait for the second person that it requires.
    #[must_use]
    pub const fn in_emergency(self, emergency: bool) -> Self {
        Self { emergency: Some(emergency), ..self }
    }

    /// The release of a draft of a reserved type that frees an innocent person.
    #[must_use]
    pub const fn that_cannot_wait(self, cannot_wait: bool) -> Self {
        Self { cannot_wait: Some(cannot_wait), ..self }
    }

    /// For `message.read`: whether the reader stated a reason, as an auditor must.
    pub const fn read(reason_stated: bool) -> Self {
        Self { reason_stated: Some(reason_stated), ..Self::NONE }
    }
}
