//! What the exchange does with messages: all that it depends on of a type.

use crate::families::Family;

/// What the exchange does with messages of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// An officer's message that opens a case of its family.
    Opener(Family),
    /// An officer's message that follows in a case of its family.
    Follower(Family),
    /// An officer's message that follows in a case of any family.
    AnyCase,
    /// A signed answer to messages.
    Receipt,
    /// A message about the streams between two agencies.
    Stream,
    /// A message from one country's node to another's.
    Node,
}

impl Class {
    /// The family of its cases; `None` where they are of any family, and of messages without a case.
    pub const fn family(self) -> Option<Family> {
        match self {
            Self::Opener(family) | Self::Follower(family) => Some(family),
            Self::AnyCase | Self::Receipt | Self::Stream | Self::Node => None,
        }
    }

    /// Whether such a message is an officer's and has terms.
    pub const fn is_operational(self) -> bool {
        matches!(self, Self::Opener(_) | Self::Follower(_) | Self::AnyCase)
    }

    /// Whether such a message follows in a case that another message opened.
    pub const fn follows(self) -> bool {
        matches!(self, Self::Follower(_) | Self::AnyCase)
    }

    /// Whether such a message has a number in a stream and is answered with a receipt. Receipts, stream and node messages have
    /// neither: answering answers would never end.
    pub const fn is_numbered(self) -> bool {
        self.is_operational()
    }

    /// Whether only nodes send and receive such a message.
    pub const fn is_nodes_only(self) -> bool {
        matches!(self, Self::Node)
    }

    /// Whether such a message has a transport expiry. Only openers have, because an answer, a withdrawal or a confirmation must arrive
    /// however late; and of those not a hit, which reports a fact.
    pub const fn expires_on_the_way(self) -> bool {
        matches!(self, Self::Opener(Family::Alert | Family::Request | Family::Info | Family::Permission))
    }

    /// Whether such a message opens a case between two agencies, and so has one recipient. Each agency that is asked the same has a
    /// request of its own, with its own time, refusal and answer.
    pub const fn is_to_one(self) -> bool {
        matches!(self, Self::Opener(Family::Request | Family::Hit | Family::Permission))
    }

    /// Whether such a message is reissued when the key that signed it is found to be compromised. A stream or node message
    /// reports a moment that has passed by then: the next one is on its way.
    pub const fn is_reissued(self) -> bool {
        self.is_operational() || matches!(self, Self::Receipt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table of classes, one line a class: operational, follows, numbered, nodes only, expires, reissued.
    #[test]
    fn what_each_class_means() {
        let line = |class: Class| {
            [
                class.is_operational(),
                class.follows(),
                class.is_numbered(),
                class.is_nodes_only(),
                class.expires_on_the_way(),
                class.is_reissued(),
            ]
        };
        assert_eq!(line(Class::Opener(Family::Alert)), [true, false, true, false, true, true]);
        assert_eq!(line(Class::Follower(Family::Alert)), [true, true, true, false, false, true]);
        assert_eq!(line(Class::Opener(Family::Hit)), [true, false, true, false, false, true]);
        assert_eq!(line(Class::AnyCase), [true, true, true, false, false, true]);
        assert_eq!(line(Class::Receipt), [false, false, false, false, false, true]);
        assert_eq!(line(Class::Stream), [false; 6]);
        assert_eq!(line(Class::Node), [false, false, false, true, false, false]);
    }
}
