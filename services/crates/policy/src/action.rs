//! What can be asked for.

use std::fmt;

use crate::ResourceKind;

/// What is asked for, known when compiling (a type of [`act`]) or only when running ([`Action`] itself).
pub trait Act: Copy {
    /// The action.
    fn action(self) -> Action;
}

impl Act for Action {
    fn action(self) -> Action {
        self
    }
}

/// One table for the enum, its words, the kind of resource each is asked about, and the types of [`act`].
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal on $kind:ident;)*) => {
        /// An action that this version knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in policies.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The kind of resource that the action is asked about.
            pub const fn resource_kind(self) -> ResourceKind {
                match self { $(Self::$name => ResourceKind::$kind,)* }
            }
        }

        /// Each action as a type of its own, so that a [`Permit`](crate::Permit) for one is not taken for a
        /// permit for another.
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
    /// Keep a new draft.
    DraftCreate = "draft.create" on Draft;
    /// Have a draft checked without keeping it.
    DraftValidate = "draft.validate" on Draft;
    /// See which drafts the agency has.
    DraftList = "draft.list" on Agency;
    /// Read a draft with its content.
    DraftRead = "draft.read" on Draft;
    /// Change a draft.
    DraftChange = "draft.change" on Draft;
    /// Hand a draft to a supervisor.
    DraftSubmit = "draft.submit" on Draft;
    /// Sign and send a draft. The context says whether a second person is required.
    DraftRelease = "draft.release" on Draft;
    /// Return a draft to its author.
    DraftReturn = "draft.return" on Draft;
    /// Throw a draft away.
    DraftDiscard = "draft.discard" on Draft;
    /// See the list of received messages: header facts and codes, no narrative.
    MessageListInbox = "message.list_inbox" on Agency;
    /// See the list of sent messages: header facts and codes, no narrative.
    MessageListSent = "message.list_sent" on Agency;
    /// Read a message with its narrative. The context says whether a reason was stated.
    MessageRead = "message.read" on Message;
    /// Read a message's header facts.
    MessageReadMetadata = "message.read_metadata" on Message;
    /// Follow a message's way, hop by hop.
    MessageTrace = "message.trace" on Message;
    /// Mark a message as read, which tells the sender so.
    MessageMarkRead = "message.mark_read" on Message;
    /// Read a message's receipts.
    ReceiptsRead = "receipts.read" on Message;
    /// Read the state of the agency's streams, gaps included.
    StreamsRead = "streams.read" on Agency;
    /// Read the agency's view of the trust lists.
    TrustRead = "trust.read" on Agency;
    /// Read the agency's domain events, which hold no content.
    EventsRead = "events.read" on Agency;
    /// See which messages are held, and why.
    HeldRead = "held.read" on Agency;
    /// See which deliveries are in quarantine, and why; what named no agency belongs to `<cc>.node`.
    QuarantineRead = "quarantine.read" on Agency;
    /// Search the audit log of an agency; the log of `<cc>.node` is the whole country's.
    AuditSearch = "audit.search" on AuditLog;
    /// Read one audit event.
    AuditReadEvent = "audit.read_event" on AuditEvent;
    /// Read the state of the audit sources: last sequence, epochs, what is missing, alarms.
    AuditReadSources = "audit.read_sources" on AuditLog;
    /// Erase what audit events of the agency say beyond their leaves; of `<cc>.node`, of the whole country.
    AuditErase = "audit.erase" on AuditLog;
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
    /// Put a new key in the place of an old one.
    KeyRotate = "key.rotate" on Agency;
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
