//! Numbers as they are compared, and what becomes of them when somebody misreads or mistypes one. Written anew from the rules and not taken
//! from the product, so that a fault of the product does not hide itself.

use super::random::{DIGITS, LETTERS, OF_VINS, Random};

/// Characters that people and cameras take for each other.
const CONFUSABLE: [(char, char); 9] = [
    ('O', '0'),
    ('I', '1'),
    ('B', '8'),
    ('S', '5'),
    ('Z', '2'),
    ('D', '0'),
    ('G', '6'),
    ('L', '1'),
    ('Q', 'O'),
];

/// Digits by which two telephones' numbers are compared.
const IMEI_COMPARED: usize = 14;

/// What numbers are compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum NumberPlace {
    /// Numbers of documents, national identity numbers among them.
    Document,
    /// Registration plates of vehicles.
    Plate,
    /// VINs and frame numbers.
    Frame,
    /// Numbers of engines.
    Engine,
    /// Serial numbers of telephones and other objects.
    Object,
}

impl NumberPlace {
    pub(super) const ALL: [Self; 5] = [Self::Document, Self::Plate, Self::Frame, Self::Engine, Self::Object];
}

/// Capitals and digits alone.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// The part of a number that is compared: of a telephone's its first fourteen digits.
pub(super) fn compared(place: NumberPlace, number: &str) -> &str {
    let is_telephones = place == NumberPlace::Object
        && (IMEI_COMPARED..=IMEI_COMPARED + 2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit());
    if is_telephones { &number[..IMEI_COMPARED] } else { number }
}

/// The number with one character for all that look alike.
pub(super) fn folded(number: &str) -> String {
    number
        .chars()
        .map(|c| match c {
            'O' | 'Q' | 'D' => '0',
            'I' | 'L' => '1',
            'B' => '8',
            'S' => '5',
            'Z' => '2',
            'G' => '6',
            other => other,
        })
        .collect()
}

/// What stands before the digits at the end of a number, and these digits.
pub(super) fn counted(number: &str) -> Option<(&str, u128)> {
    let prefix = number.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((prefix, number[prefix.len()..].parse().ok()?))
}

/// Whether a maker must have put a check digit into the VIN: those of North America and, for motorcycles, of China.
pub(super) fn has_vin_digit(number: &str) -> bool {
    number.starts_with(['1', '2', '3', '4', '5', 'L'])
}

/// Whether the number has the form of a VIN.
pub(super) fn is_vin(number: &str) -> bool {
    number.len() == 17 && number.chars().all(|c| OF_VINS.contains(c))
}

/// The check digit of a VIN (49 CFR 565.15).
pub(super) fn vin_digit(number: &str) -> char {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |c: char| match c {
        'A'..='H' => u32::from(c) - u32::from('A') + 1,
        'J'..='N' => u32::from(c) - u32::from('J') + 1,
        'P' => 7,
        'R' => 9,
        'S'..='Z' => u32::from(c) - u32::from('S') + 2,
        digit => digit.to_digit(10).unwrap_or_default(),
    };
    let sum: u32 = number.chars().zip(WEIGHTS).map(|(c, weight)| value(c) * weight).sum();
    if sum % 11 == 10 { 'X' } else { char::from_digit(sum % 11, 10).unwrap_or('0') }
}

/// The VIN with the check digit that it must have, where it must have one.
pub(super) fn with_vin_digit(number: &str) -> String {
    if !has_vin_digit(number) {
        return number.to_owned();
    }
    format!("{}{}{}", &number[..8], vin_digit(number), &number[9..])
}

/// The digit of Luhn's formula behind these fourteen digits.
pub(super) fn luhn_digit(digits: &str) -> char {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 if digit > 4 => 2 * digit - 9,
            0 => 2 * digit,
            _ => digit,
        })
        .sum();
    char::from_digit((10 - sum % 10) % 10, 10).unwrap_or('0')
}

/// The number with one character taken for another one that looks like it; none where no character has a look-alike.
pub(super) fn confused(number: &str, random: &mut Random) -> Option<String> {
    let places: Vec<(usize, char)> = number
        .char_indices()
        .flat_map(|(at, c)| look_alikes(c).into_iter().map(move |other| (at, other)))
        .collect();
    if places.is_empty() {
        return None;
    }
    let (at, other) = *random.pick(&places);
    Some(replaced(number, at, other))
}

/// The number with one character changed into another of its class that does not look like it.
pub(super) fn changed(number: &str, random: &mut Random) -> String {
    let at = random.below(number.len());
    let old = number.as_bytes().get(at).map_or('0', |b| char::from(*b));
    let set = match old {
        _ if old.is_ascii_digit() => DIGITS,
        _ if is_vin(number) => "ABCDEFGHJKLMNPRSTUVWXYZ",
        _ => LETTERS,
    };
    loop {
        let new = random.character(set);
        if folded(&new.to_string()) != folded(&old.to_string()) {
            return replaced(number, at, new);
        }
    }
}

/// The number with two different neighbours in each other's place; none where all characters are equal.
pub(super) fn transposed(number: &str, random: &mut Random) -> Option<String> {
    let bytes = number.as_bytes();
    let places: Vec<usize> =
        (1..bytes.len()).filter(|at| bytes.get(at - 1) != bytes.get(*at)).map(|at| at - 1).collect();
    if places.is_empty() {
        return None;
    }
    let mut swapped: Vec<char> = number.chars().collect();
    let at = *random.pick(&places);
    swapped.swap(at, at + 1);
    Some(swapped.into_iter().collect())
}

/// The number without one of its characters.
pub(super) fn dropped(number: &str, random: &mut Random) -> String {
    let mut rest = number.to_owned();
    rest.remove(random.below(number.len()));
    rest
}

/// The number as somebody types it: in small letters, with spaces, hyphens or dots between its characters.
pub(super) fn typed(number: &str, random: &mut Random) -> String {
    let separator = *random.pick(&[" ", "-", ".", "/", ""]);
    let every = random.between(2, 5);
    let mut typed = String::new();
    for (at, c) in number.chars().enumerate() {
        if at > 0 && at % every == 0 {
            typed += separator;
        }
        typed.push(c);
    }
    if random.happens(50) { typed.to_ascii_lowercase() } else { typed }
}

fn look_alikes(c: char) -> Vec<char> {
    let other = |(one, other): &(char, char)| match c {
        c if c == *one => Some(*other),
        c if c == *other => Some(*one),
        _ => None,
    };
    CONFUSABLE.iter().filter_map(other).collect()
}

fn replaced(number: &str, at: usize, new: char) -> String {
    number.char_indices().map(|(place, c)| if place == at { new } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_known_numbers() {
        assert_eq!(vin_digit("1M8GDM9AXKP042788"), 'X');
        assert_eq!(with_vin_digit("1M8GDM9A0KP042788"), "1M8GDM9AXKP042788");
        assert_eq!(with_vin_digit("WVWZZZ1KZAW000001"), "WVWZZZ1KZAW000001");
        assert_eq!(luhn_digit("35209900176148"), '1');
    }

    #[test]
    fn mutations_are_what_they_are_called() {
        let number = "AB1200G47";
        let mut random = Random::new(7);
        for _ in 0..500 {
            let alike = confused(number, &mut random).expect("it has look-alikes");
            assert!(alike != number && alike.len() == number.len());
            assert_ne!(folded(&changed(number, &mut random)), folded(number));
            let other = transposed(number, &mut random).expect("it has two characters");
            assert!(other != number && other.len() == number.len());
            assert_eq!(dropped(number, &mut random).len(), number.len() - 1);
            assert_eq!(plain(&typed(number, &mut random)), number);
        }
        assert_eq!(confused("A7", &mut random), None);
        assert_eq!(transposed("7777", &mut random), None);
        assert_eq!(counted("AB1200"), Some(("AB", 1200)));
        assert_eq!(compared(NumberPlace::Object, "352099001761481"), "35209900176148");
    }
}
