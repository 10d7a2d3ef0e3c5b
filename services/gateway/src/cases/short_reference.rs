//! The short reference of a case, for paper, telephone and chat: six characters from the digest of the message that opened it, and
//! a check character. Both countries compute the same, because the digest is that of the case's id and of the content, which stay the
//! same in each recipient's copy and when the message is issued again. The id keeps two requests apart that say the same.

use rovuma_envelope::digest;
use rovuma_schemas::{AgencyCode, Digest, MessageId};

use super::kept::KeptMessage;

/// The characters: digits and capital letters without 0, 1, I, L and O, which are confused in handwriting and on the telephone. Their
/// number is a prime, so that the check character finds every wrong character and every two that changed places.
const CHARACTERS: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// The number of characters from the digest.
const LENGTH: usize = 6;

/// The short reference of the case with this owner and id; empty until its opener is here.
pub(crate) fn of_case(owner: &AgencyCode, id: MessageId, messages: &[KeptMessage]) -> String {
    let openers = messages.iter().filter(|message| message.sender == *owner && message.turn == 1);
    // Of a turn that was used twice, the same content counts everywhere.
    openers
        .map(|message| message.content)
        .min_by_key(|content| *content.as_bytes())
        .map(|content| of(digest(&[id.as_bytes().as_slice(), content.as_bytes().as_slice()].concat())))
        .unwrap_or_default()
}

fn of(content: Digest) -> String {
    let base = CHARACTERS.len() as u64;
    let mut number =
        content.as_bytes().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let mut places = [0_u64; LENGTH];
    for place in &mut places {
        *place = number % base;
        number /= base;
    }
    let check = places.iter().zip(1..).map(|(value, weight)| value * weight).sum::<u64>() % base;
    places.iter().chain([&check]).map(|value| character(*value)).collect()
}

/// A reference as somebody wrote or typed it, in the form in which the store has it; none if its check character is wrong.
pub(crate) fn read(unverified_text: &str) -> Option<String> {
    let text =
        unverified_text.chars().filter(|c| !matches!(c, ' ' | '-' | '.')).collect::<String>().to_uppercase();
    let values: Option<Vec<u64>> = text
        .bytes()
        .map(|byte| CHARACTERS.iter().position(|known| *known == byte).map(|value| value as u64))
        .collect();
    let values = values.filter(|values| values.len() == LENGTH + 1)?;
    let (check, places) = values.split_last()?;
    let expected = places.iter().zip(1..).map(|(value, weight)| value * weight).sum::<u64>();
    (expected % CHARACTERS.len() as u64 == *check).then_some(text)
}

fn character(value: u64) -> char {
    let index = usize::try_from(value).unwrap_or_default();
    CHARACTERS.get(index).copied().map_or('?', char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_character_and_every_exchange_of_two_is_found() {
        let reference = of(Digest::from_bytes([7; 32]));
        assert_eq!(reference.len(), LENGTH + 1);
        assert_eq!(read(&reference), Some(reference.clone()));
        let spoken = format!(" {}-{} ", reference[..3].to_lowercase(), &reference[3..]);
        assert_eq!(read(&spoken), Some(reference.clone()));
        let characters: Vec<char> = reference.chars().collect();
        for place in 0..characters.len() {
            for wrong in CHARACTERS.iter().map(|byte| char::from(*byte)).filter(|c| *c != characters[place]) {
                let mut bent = characters.clone();
                bent[place] = wrong;
                assert_eq!(read(&bent.iter().collect::<String>()), None, "{bent:?}");
            }
            let mut bent = characters.clone();
            bent.swap(place, (place + 1) % characters.len());
            let same = bent == characters;
            // The check character has no weight of its own: it is never taken for a place.
            if place < LENGTH - 1 {
                assert_eq!(read(&bent.iter().collect::<String>()).is_some(), same, "{bent:?}");
            }
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in ["", "K7M", "0000000", "K7MQ2X9Q", "ÄÖÜÄÖÜÄ"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
