//! IMO ship identification numbers (IMO Resolution A.1117(30)): six digits and a check digit.

/// The check digit of the first six of seven digits: the last digit of the sum of each digit times its weight, 7 to 2. `None` where there are not seven digits.
pub(crate) fn check_digit(number: &str) -> Option<char> {
    let digits: Option<Vec<u32>> = number.chars().map(|c| c.to_digit(10)).collect();
    let digits = digits.filter(|digits| digits.len() == 7)?;
    let sum: u32 = digits.iter().zip((2..=7).rev()).map(|(digit, weight)| digit * weight).sum();
    char::from_digit(sum % 10, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_resolution_checks() {
        assert_eq!(check_digit("9074729"), Some('9'));
        assert_eq!(check_digit("9074728"), Some('9'));
        assert_eq!(check_digit("907472"), None);
        assert_eq!(check_digit("907472x"), None);
    }
}
