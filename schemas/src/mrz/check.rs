//! Check digits (ICAO Doc 9303 part 3 section 4.9).

/// The check digit of a field: characters weighted 7, 3, 1, summed, modulo 10; none of a field with other characters.
pub fn check_digit(field: &str) -> Option<char> {
    let mut sum = 0;
    for (c, weight) in field.chars().zip([7, 3, 1].into_iter().cycle()) {
        let value = match c {
            '0'..='9' => u32::from(c) - u32::from('0'),
            'A'..='Z' => u32::from(c) - u32::from('A') + 10,
            '<' => 0,
            _ => return None,
        };
        sum += value * weight;
    }
    char::from_digit(sum % 10, 10)
}

/// Whether this is the check digit of the field.
pub(super) fn is_checked(field: &str, digit: &str) -> bool {
    check_digit(field) == digit.chars().next()
}
