use rstest::rstest;

use super::*;

#[rstest]
#[case("Libya B/002210", Some("B002210"), Some("LBY"), Some("Libya"))]
#[case("Diplomatic Passport: Z30321794", Some("Z30321794"), None, Some("Diplomatic Passport"))]
#[case("No34409/129", Some("34409129"), None, None)]
#[case("381110042 (Expired 25 Jan. 2016)", Some("381110042"), None, Some("Expired 25 Jan. 2016"))]
#[case(
    "German travel document (“Reiseausweis”) A 0139243",
    Some("A0139243"),
    Some("DEU"),
    Some("German travel document; “Reiseausweis”")
)]
#[case("BN 4196361", Some("BN4196361"), None, None)]
#[case(" CV9157521", Some("CV9157521"), None, None)]
#[case("35202- 4135948-7", Some("3520241359487"), None, None)]
#[case(
    "national identity card number 44103-5251752-5",
    Some("4410352517525"),
    None,
    Some("national identity card number")
)]
#[case("304555 (Egypt)", Some("304555"), Some("EGY"), None)]
#[case("472220033 (Korea, North)", Some("472220033"), Some("PRK"), None)]
#[case("A0016662 (Iran) issued 29 Oct 2002.", Some("A0016662"), Some("IRN"), Some("issued 29 Oct 2002"))]
#[case("D000000483, Diplomatic (Syria)", Some("D000000483"), Some("SYR"), Some("Diplomatic"))]
#[case("M408665 Tunisia", Some("M408665"), Some("TUN"), None)]
#[case("Booklet: A6169832 (Pakistan)", Some("A6169832"), Some("PAK"), Some("Booklet"))]
#[case("265 216 (Egypt)", Some("265216"), Some("EGY"), None)]
#[case("NO34409/129 issued Jul 1997", Some("NO34409129"), None, Some("issued Jul 1997"))]
fn numbers_issuers_and_notes_are_told_apart(
    #[case] text: &str,
    #[case] number: Option<&str>,
    #[case] issuer: Option<&str>,
    #[case] note: Option<&str>,
) {
    let reading = read(text);
    assert_eq!(reading.number.as_deref(), number);
    assert_eq!(reading.issuer, issuer);
    assert_eq!(reading.note().as_deref(), note);
}

#[rstest]
#[case::two_numbers("AB123456 and CD654321")]
#[case::two_numbers_in_a_row("AB123456 CD654321")]
#[case::a_number_and_a_date("C 1415363 - 16/2/1421H")]
#[case::unknown_words("Bosnian soldier 123456")]
#[case::words_alone("not known")]
#[case::another_script("А1234567")]
#[case::too_short("12")]
#[case::too_long("12345678901234567890123456789012345678901")]
#[case::nothing("")]
#[case::open_bracket("(123")]
fn other_texts_have_no_number(#[case] text: &str) {
    assert_eq!(read(text).number, None);
}

#[rstest]
#[case("Passport", "passport")]
#[case("Numéro de passeport ", "passport")]
#[case("Número de pasaporte", "passport")]
#[case("National Identification\n      Number", "national_id")]
#[case("Tax ID No.", "tax_number")]
#[case("nida_tz", "nida_tz")]
#[case("Bilhete de Identidade", "national_id")]
#[case("Ship's log", "other")]
#[case("", "other")]
fn types_are_known_in_several_languages(#[case] words: &str, #[case] expected: &str) {
    assert_eq!(document_type(words), expected);
}
