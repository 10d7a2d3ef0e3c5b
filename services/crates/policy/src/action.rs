//! The actions.

use std::fmt;

use crate::ResourceKind;

/// An action, known at compile time (a type of [`act`]) or at run time ([`Action`] itself).
pub trait Act: Copy {
    /// The action.
    fn action(self) -> Action;
}

impl Act for Action {
    fn action(self) -> Action {
        self
    }
}

/// Generates from one table the enum, the names, the kind of resource of each action, and the types of [`act`].
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal on $kind:ident;)*) => {
        /// An action that this version knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in policies.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The kind of resource on which the action is done.
            pub const fn resource_kind(self) -> ResourceKind {
                match self { $(Self::$name => ResourceKind::$kind,)* }
            }
        }

        /// Each action as a type of its own, so that a [`Permit`](crate::Permit) for one action cannot serve for another.
        pub mod act {
            use super::{Act, Action};
            $(
                $(#[$doc])*
                #[derive(Clone, Copy, Debug, PartialEq, Eq)]
                pub struct $name;
                impl Act for $name {
                    fn action(self) -> Action { Action::$name }
                }
            )*
        }
    };
}

actions! {
    /// Store a new draft.
    DraftCreate = "draft.create" on Draft;
    /// Have a draft checked without storing it.
    DraftValidate = "draft.validate" on Draft;
    /// List the agency's drafts.
    DraftList = "draft.list" on Agency;
    /// Read a draft with its content.
    DraftRead = "draft.read" on Draft;
    /// Change a draft.
    DraftChange = "draft.change" on Draft;
    /// Submit a draft to a supervisor.
    DraftSubmit = "draft.submit" on Draft;
    /// Sign and send a draft. The context says whether a second person is required.
    DraftRelease = "draft.release" on Draft;
    /// Return a draft to its author.
    DraftReturn = "draft.return" on Draft;
    /// Discard a draft.
    DraftDiscard = "draft.discard" on Draft;
    /// See the list of received messages: header facts and codes, no narrative.
    MessageListInbox = "message.list_inbox" on Agency;
    /// See the list of sent messages: header facts and codes, no narrative.
    MessageListSent = "message.list_sent" on Agency;
    /// Read a message with its narrative. The context says whether a reason was stated.
    MessageRead = "message.read" on Message;
    /// Read a message's header facts.
    MessageReadMetadata = "message.read_metadata" on Message;
    /// Read the steps of a message's way.
    MessageTrace = "message.trace" on Message;
    /// Mark a message as read, which sends the sender a receipt.
    MessageMarkRead = "message.mark_read" on Message;
    /// Read a message's receipts.
    ReceiptsRead = "receipts.read" on Message;
    /// See the list of cases: their states and whose turn it is.
    CaseList = "case.list" on Agency;
    /// See a case: its state and its steps, without the narrative of its messages.
    CaseRead = "case.read" on Case;
    /// Hold the data of a case back from erasure, or let them go.
    CaseHold = "case.hold" on Case;
    /// See what will be erased, and what is held back.
    RetentionRead = "retention.read" on Agency;
    /// Read what the agency's alerts in force are about, as a watchlist compares it.
    ScreeningRead = "screening.read" on Agency;
    /// Say to the issuers of alerts at which border posts they are screened for.
    ScreeningReport = "screening.report" on Agency;
    /// Read figures about the agency's requests: how many, how they ended, how long the answers took.
    FiguresRead = "figures.read" on Agency;
    /// Read the state of the agency's streams, gaps included.
    StreamsRead = "streams.read" on Agency;
    /// Acknowledge an alarm of the agency.
    AlarmAcknowledge = "alarm.acknowledge" on Agency;
    /// Read the agency's view of the trust lists.
    TrustRead = "trust.read" on Agency;
    /// Read the agency's domain events, which hold no content.
    EventsRead = "events.read" on Agency;
    /// List the held messages, with the reasons.
    HeldRead = "held.read" on Agency;
    /// List the deliveries in quarantine, with the reasons. Those that named no agency belong to `<cc>.node`.
    QuarantineRead = "quarantine.read" on Agency;
    /// Screen what crosses at a border post.
    ScreenCrossing = "screen.crossing" on Agency;
    /// Look something up outside a crossing, for a stated purpose.
    ScreenLookup = "screen.lookup" on Agency;
    /// See what is screened against: lists, their ages, the rules.
    WatchlistRead = "watchlist.read" on Agency;
    /// See what was found of the agency's alerts, discreet checks among them.
    CandidateRead = "candidate.read" on Agency;
    /// Say whether a candidate is the same person or thing.
    CandidateDecide = "candidate.decide" on Agency;
    /// Propose or approve a change of a screening rule.
    RuleChange = "rule.change" on Agency;
    /// Put a list into the watchlist, or take one out; as the second person too.
    ListImport = "list.import" on Agency;
    /// Search the audit log of an agency; the log of `<cc>.node` is the whole country's.
    AuditSearch = "audit.search" on AuditLog;
    /// Read one audit event.
    AuditReadEvent = "audit.read_event" on AuditEvent;
    /// Read the state of the audit sources: last sequence, epochs, missing events, alarms.
    AuditReadSources = "audit.read_sources" on AuditLog;
    /// Erase the content of the agency's audit events beyond their leaves; for `<cc>.node`, of the whole country's.
    AuditErase = "audit.erase" on AuditLog;
    /// See the names behind the pseudonyms of the agency's people.
    NameRead = "name.read" on Agency;
    /// See the agency's users.
    UserList = "user.list" on Agency;
    /// Add a user to the agency.
    UserCreate = "user.create" on Agency;
    /// Change or lock a user.
    UserChange = "user.change" on Account;
    /// Give or take a user's roles.
    RoleChange = "role.change" on Account;
    /// See the agency's machine clients.
    ClientList = "client.list" on Agency;
    /// Add a machine client.
    ClientCreate = "client.create" on Agency;
    /// Change or lock a machine client.
    ClientChange = "client.change" on Account;
    /// See public keys and their validity.
    KeyList = "key.list" on Agency;
    /// Replace an old key by a new one.
    KeyRotate = "key.rotate" on Agency;
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
