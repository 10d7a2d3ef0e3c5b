//! Canonical ids: a message that was issued again has several ids, and is compared by the oldest of its chain.

use std::collections::{BTreeMap, BTreeSet};

use rovuma_schemas::{AgencyCode, MessageId, Timestamp};

use super::message::CaseMessage;

/// When each message of a case was delivered, by canonical id: the last time, of one that was issued again or that its recipient
/// stored a second time because its store had been restored. The recipient knows of no other.
pub(crate) fn deliveries<F>(messages: &[CaseMessage<F>]) -> BTreeMap<MessageId, Timestamp> {
    let names = Names::of(messages);
    let mut deliveries = BTreeMap::new();
    for message in messages {
        let Some(delivered) = message.delivered else { continue };
        let last = deliveries.entry(names.canonical(&message.sender, message.id)).or_insert(delivered);
        *last = delivered.max(*last);
    }
    deliveries
}

/// The canonical id of each message of a case.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    canonical: BTreeMap<(MessageId, &'a AgencyCode), MessageId>,
}

impl<'a> Names<'a> {
    /// Follows the chains of `replaces` of all messages. A chain joins messages of one sender only.
    pub(crate) fn of<F>(messages: &'a [CaseMessage<F>]) -> Self {
        let mut replaced = BTreeMap::new();
        for message in messages {
            let Some(older) = message.replaces else { continue };
            let known = replaced.entry((message.id, &message.sender)).or_insert(older);
            // Two messages under one id are a fault of their sender. The result must not depend on which of them came first.
            *known = older.min(*known);
        }
        let mut names = Self::default();
        for message in messages {
            names.resolve(&replaced, (message.id, &message.sender));
        }
        names
    }

    /// The canonical id of `id`, a message of `sender`. An id that no message has is its own.
    pub(crate) fn canonical(&self, sender: &AgencyCode, id: MessageId) -> MessageId {
        self.canonical.get(&(id, sender)).copied().unwrap_or(id)
    }

    /// The canonical id of a message that another one refers to by `id` alone: of `own` if that agency has such a message, else
    /// of the first agency by code that has one. Only a sender who copies ids makes that differ.
    pub(crate) fn referred(&self, own: &AgencyCode, id: MessageId) -> MessageId {
        if let Some(canonical) = self.canonical.get(&(id, own)) {
            return *canonical;
        }
        let mut same_id = self.canonical.iter().skip_while(|((known, _), _)| *known < id);
        match same_id.next() {
            Some(((known, _), canonical)) if *known == id => *canonical,
            _ => id,
        }
    }

    /// Follows one chain to its oldest id, and notes that for every message on the way.
    fn resolve(
        &mut self,
        replaced: &BTreeMap<(MessageId, &'a AgencyCode), MessageId>,
        (id, sender): (MessageId, &'a AgencyCode),
    ) {
        let (mut chain, mut on_chain, mut at) = (Vec::new(), BTreeSet::new(), id);
        let oldest = loop {
            if let Some(known) = self.canonical.get(&(at, sender)) {
                break *known;
            }
            if !on_chain.insert(at) {
                // A ring, which no honest sender can sign: the smallest id on it stands for all.
                let ring = chain.iter().skip_while(|link| **link != at);
                break ring.min().copied().unwrap_or(at);
            }
            chain.push(at);
            match replaced.get(&(at, sender)) {
                Some(older) => at = *older,
                None => break at,
            }
        };
        for link in chain {
            self.canonical.insert((link, sender), oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::fold::tests::{agency, id, message};

    fn chain(links: &[(u64, Option<u64>)]) -> Vec<CaseMessage<()>> {
        let link = |(own, older): &(u64, Option<u64>)| CaseMessage {
            delivered: None,
            id: id(*own),
            replaces: older.map(id),
            ..message("mz.prm", 1, &[], ())
        };
        links.iter().map(link).collect()
    }

    #[test]
    fn every_id_of_a_chain_is_named_by_the_oldest_in_any_order() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0], [0, 2, 1], [2, 0, 1]] {
            let links = [(1, None), (2, Some(1)), (3, Some(2))];
            let messages = chain(&order.map(|index: usize| links[index]));
            let names = Names::of(&messages);
            for known in 1..=3 {
                assert_eq!(names.canonical(&agency("mz.prm"), id(known)), id(1), "{known}");
                assert_eq!(names.referred(&agency("tz.tpf"), id(known)), id(1), "{known}");
            }
            assert_eq!(names.canonical(&agency("tz.tpf"), id(3)), id(3), "a chain is one sender's");
        }
    }

    #[test]
    fn the_oldest_may_be_missing_and_a_ring_ends() {
        let messages = chain(&[(3, Some(2)), (2, Some(1))]);
        let prm = agency("mz.prm");
        assert_eq!(Names::of(&messages).canonical(&prm, id(3)), id(1));
        for links in [[(1, Some(2)), (2, Some(3)), (3, Some(2))], [(3, Some(2)), (2, Some(3)), (1, Some(2))]]
        {
            let messages = chain(&links);
            let names = Names::of(&messages);
            assert_eq!([1, 2, 3].map(|known| names.canonical(&prm, id(known))), [id(2); 3]);
        }
    }
}
