//! Vehicle identification numbers (ISO 3779) and the check digit that North America requires in
//! them (49 CFR 565.15(c)).

const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/// Whether the maker's region is North America (first character 1 to 5), where the ninth character
/// is a check digit by law. Elsewhere it can be anything, so nothing is checked.
pub(crate) fn has_check_digit(vin: &str) -> bool {
    vin.starts_with(|first: char| matches!(first, '1'..='5'))
}

/// The check digit of the other 16 characters; `None` where the text is no VIN.
pub(crate) fn check_digit(vin: &str) -> Option<char> {
    let values: Option<Vec<u32>> = vin.chars().map(value).collect();
    let values = values.filter(|values| values.len() == 17)?;
    let sum: u32 = values.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    match sum % 11 {
        10 => Some('X'),
        digit => char::from_digit(digit, 10),
    }
}

/// The value of a character: digits their own, letters as the regulation's table has them.
const fn value(c: char) -> Option<u32> {
    Some(match c {
        '0'..='9' => c as u32 - '0' as u32,
        'A'..='H' => c as u32 - 'A' as u32 + 1,
        'J'..='N' => c as u32 - 'J' as u32 + 1,
        'P' => 7,
        'R' => 9,
        'S'..='Z' => c as u32 - 'S' as u32 + 2,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_vins_check() {
        // The usual teaching examples: all ones, and one whose digit is X.
        assert_eq!(check_digit("11111111111111111"), Some('1'));
        assert_eq!(check_digit("1M8GDM9AXKP042788"), Some('X'));
        assert_eq!(check_digit("1M8GDM9A1KP042788"), Some('X'));
        assert_eq!(check_digit("1M8GDM9AXKP04278"), None);
        assert_eq!(check_digit("1M8GDM9AXKPO42788"), None);
    }

    #[test]
    fn only_north_american_vins_have_a_check_digit() {
        assert!(has_check_digit("1M8GDM9AXKP042788"));
        assert!(!has_check_digit("MD2A21EZ0EWA00000"));
        assert!(!has_check_digit("JTEBU5JR0A0000000"));
    }
}
