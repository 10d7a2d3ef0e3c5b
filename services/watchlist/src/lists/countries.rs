//! ISO 3166 codes by the words with which lists name a country: "Libya", "Libyan", "Korea, North".

use std::{collections::HashMap, sync::LazyLock};

use super::text::fold;

/// The code (ISO 3166-1 alpha-3, or one that ICAO Doc 9303 part 3 adds) of the country that these words name.
///
/// The words are a name, the adjective of its documents, or a code in capitals. Germany is `DEU` here; the machine
/// readable zone prints `D` for the same country.
pub(crate) fn code(words: &str) -> Option<&'static str> {
    let words = words.trim();
    if words == "D" {
        return Some("DEU");
    }
    if let Some(code) = ICAO_CODES.iter().find(|code| **code == words) {
        return Some(code);
    }
    if let Ok(at) = COUNTRIES.binary_search_by(|(code, _)| (*code).cmp(words)) {
        return COUNTRIES.get(at).map(|(code, _)| *code);
    }
    let key = key_of(words);
    CODES.get(key.strip_prefix("the ").unwrap_or(&key)).copied()
}

/// Lower-case letters with one space between words.
fn key_of(words: &str) -> String {
    let mut key = String::with_capacity(words.len());
    for letter in words.chars().flat_map(fold) {
        if letter.is_ascii_lowercase() {
            key.push(letter);
        } else if !key.is_empty() && !key.ends_with(' ') {
            key.push(' ');
        }
    }
    key.truncate(key.trim_end().len());
    key
}

static CODES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let names = COUNTRIES.iter().flat_map(|(code, names)| names.split('|').map(|name| (name, *code)));
    names.chain(ICAO_NAMES).collect()
});

/// What ICAO Doc 9303 part 3 section 5 adds to ISO 3166 for organisations and for the status of a person.
const ICAO_CODES: [&str; 22] = [
    "EUE", "GBD", "GBN", "GBO", "GBP", "GBS", "RKS", "UNA", "UNK", "UNO", "UTO", "XBA", "XCC", "XCE", "XCO",
    "XEC", "XOM", "XPO", "XXA", "XXB", "XXC", "XXX",
];

/// The words with which lists name some of these.
const ICAO_NAMES: [(&str, &str); 3] = [("kosovo", "RKS"), ("stateless", "XXA"), ("united nations", "UNO")];

/// Each code with the names and adjectives that lists use, in the order of the codes. Names are those of ISO 3166-1.
#[rustfmt::skip]
const COUNTRIES: &[(&str, &str)] = &[
    ("ABW", "aruba"),
    ("AFG", "afghanistan|islamic republic of afghanistan|afghan"),
    ("AGO", "angola|republic of angola|angolan"),
    ("AIA", "anguilla"),
    ("ALA", "aland islands"),
    ("ALB", "albania|republic of albania|albanian"),
    ("AND", "andorra|principality of andorra"),
    ("ARE", "united arab emirates|emirati|uae|u a e"),
    ("ARG", "argentina|argentine republic|argentine|argentinian"),
    ("ARM", "armenia|republic of armenia|armenian"),
    ("ASM", "american samoa"),
    ("ATA", "antarctica"),
    ("ATF", "french southern territories"),
    ("ATG", "antigua and barbuda"),
    ("AUS", "australia|australian"),
    ("AUT", "austria|republic of austria|austrian"),
    ("AZE", "azerbaijan|republic of azerbaijan|azerbaijani"),
    ("BDI", "burundi|republic of burundi|burundian"),
    ("BEL", "belgium|kingdom of belgium|belgian"),
    ("BEN", "benin|republic of benin|beninese"),
    ("BES", "bonaire sint eustatius and saba|sint eustatius and saba bonaire"),
    ("BFA", "burkina faso|burkinabe"),
    ("BGD", "bangladesh|people s republic of bangladesh|bangladeshi"),
    ("BGR", "bulgaria|republic of bulgaria|bulgarian"),
    ("BHR", "bahrain|kingdom of bahrain|bahraini"),
    ("BHS", "bahamas|commonwealth of the bahamas"),
    ("BIH", "bosnia and herzegovina|republic of bosnia and herzegovina|bosnian|bosnia"),
    ("BLM", "saint barthelemy"),
    ("BLR", "belarus|republic of belarus|belarusian"),
    ("BLZ", "belize"),
    ("BMU", "bermuda"),
    ("BOL", "bolivia plurinational state of|plurinational state of bolivia|bolivia|bolivian"),
    ("BRA", "brazil|federative republic of brazil|brazilian|brasil"),
    ("BRB", "barbados"),
    ("BRN", "brunei darussalam|brunei"),
    ("BTN", "bhutan|kingdom of bhutan"),
    ("BVT", "bouvet island"),
    ("BWA", "botswana|republic of botswana|botswanan"),
    ("CAF", "central african republic|central african"),
    ("CAN", "canada|canadian"),
    ("CCK", "cocos keeling islands"),
    ("CHE", "switzerland|swiss confederation|swiss"),
    ("CHL", "chile|republic of chile|chilean"),
    ("CHN", "china|people s republic of china|chinese"),
    ("CIV", "cote d ivoire|republic of cote d ivoire|ivorian|ivory coast"),
    ("CMR", "cameroon|republic of cameroon|cameroonian"),
    ("COD", "congo the democratic republic of the|democratic republic of the congo|congolese democratic republic|congo democratic republic of the|drc|dr congo|zaire"),
    ("COG", "congo|republic of the congo|congo republic of the"),
    ("COK", "cook islands"),
    ("COL", "colombia|republic of colombia|colombian"),
    ("COM", "comoros|union of the comoros|comorian|comores|comoros the"),
    ("CPV", "cabo verde|republic of cabo verde|cape verde|cabo verdean"),
    ("CRI", "costa rica|republic of costa rica|costa rican"),
    ("CUB", "cuba|republic of cuba|cuban"),
    ("CUW", "curacao"),
    ("CXR", "christmas island"),
    ("CYM", "cayman islands"),
    ("CYP", "cyprus|republic of cyprus|cypriot"),
    ("CZE", "czechia|czech republic|czech"),
    ("DEU", "germany|federal republic of germany|german|alemania|allemagne|alemanha"),
    ("DJI", "djibouti|republic of djibouti|djiboutian"),
    ("DMA", "dominica|commonwealth of dominica"),
    ("DNK", "denmark|kingdom of denmark|danish"),
    ("DOM", "dominican republic"),
    ("DZA", "algeria|people s democratic republic of algeria|algerian|algerie|argelia"),
    ("ECU", "ecuador|republic of ecuador|ecuadorian|ecuadorean"),
    ("EGY", "egypt|arab republic of egypt|egyptian"),
    ("ERI", "eritrea|state of eritrea|eritrean"),
    ("ESH", "western sahara"),
    ("ESP", "spain|kingdom of spain|spanish"),
    ("EST", "estonia|republic of estonia|estonian"),
    ("ETH", "ethiopia|federal democratic republic of ethiopia|ethiopian"),
    ("FIN", "finland|republic of finland|finnish"),
    ("FJI", "fiji|republic of fiji"),
    ("FLK", "falkland islands malvinas"),
    ("FRA", "france|french republic|french"),
    ("FRO", "faroe islands"),
    ("FSM", "micronesia federated states of|federated states of micronesia|micronesia"),
    ("GAB", "gabon|gabonese republic|gabonese"),
    ("GBR", "united kingdom|united kingdom of great britain and northern ireland|british|uk|great britain"),
    ("GEO", "georgia|georgian"),
    ("GGY", "guernsey"),
    ("GHA", "ghana|republic of ghana|ghanaian"),
    ("GIB", "gibraltar"),
    ("GIN", "guinea|republic of guinea|guinean"),
    ("GLP", "guadeloupe"),
    ("GMB", "gambia|republic of the gambia|gambian"),
    ("GNB", "guinea bissau|republic of guinea bissau|bissau guinean"),
    ("GNQ", "equatorial guinea|republic of equatorial guinea|equatorial guinean"),
    ("GRC", "greece|hellenic republic|greek|hellenic"),
    ("GRD", "grenada"),
    ("GRL", "greenland"),
    ("GTM", "guatemala|republic of guatemala|guatemalan"),
    ("GUF", "french guiana"),
    ("GUM", "guam"),
    ("GUY", "guyana|republic of guyana"),
    ("HKG", "hong kong|hong kong special administrative region of china"),
    ("HMD", "heard island and mcdonald islands"),
    ("HND", "honduras|republic of honduras|honduran"),
    ("HRV", "croatia|republic of croatia|croatian"),
    ("HTI", "haiti|republic of haiti|haitian"),
    ("HUN", "hungary|hungarian"),
    ("IDN", "indonesia|republic of indonesia|indonesian"),
    ("IMN", "isle of man"),
    ("IND", "india|republic of india|indian"),
    ("IOT", "british indian ocean territory"),
    ("IRL", "ireland|irish"),
    ("IRN", "iran islamic republic of|islamic republic of iran|iran|iranian"),
    ("IRQ", "iraq|republic of iraq|iraqi"),
    ("ISL", "iceland|republic of iceland"),
    ("ISR", "israel|state of israel|israeli"),
    ("ITA", "italy|italian republic|italian"),
    ("JAM", "jamaica|jamaican"),
    ("JEY", "jersey"),
    ("JOR", "jordan|hashemite kingdom of jordan|jordanian"),
    ("JPN", "japan|japanese"),
    ("KAZ", "kazakhstan|republic of kazakhstan|kazakh|kazakhstani"),
    ("KEN", "kenya|republic of kenya|kenyan"),
    ("KGZ", "kyrgyzstan|kyrgyz republic|kyrgyz"),
    ("KHM", "cambodia|kingdom of cambodia|cambodian"),
    ("KIR", "kiribati|republic of kiribati"),
    ("KNA", "saint kitts and nevis"),
    ("KOR", "korea republic of|republic of korea|south korea|south korean|korea south|korean"),
    ("KWT", "kuwait|state of kuwait|kuwaiti"),
    ("LAO", "lao people s democratic republic|laos|lao"),
    ("LBN", "lebanon|lebanese republic|lebanese"),
    ("LBR", "liberia|republic of liberia|liberian"),
    ("LBY", "libya|libyan|libyan arab jamahiriya|libia|libye"),
    ("LCA", "saint lucia"),
    ("LIE", "liechtenstein|principality of liechtenstein"),
    ("LKA", "sri lanka|democratic socialist republic of sri lanka|sri lankan"),
    ("LSO", "lesotho|kingdom of lesotho|basotho"),
    ("LTU", "lithuania|republic of lithuania|lithuanian"),
    ("LUX", "luxembourg|grand duchy of luxembourg"),
    ("LVA", "latvia|republic of latvia|latvian"),
    ("MAC", "macao|macao special administrative region of china|macau"),
    ("MAF", "saint martin french part"),
    ("MAR", "morocco|kingdom of morocco|moroccan|maroc|marruecos"),
    ("MCO", "monaco|principality of monaco"),
    ("MDA", "moldova republic of|republic of moldova|moldova|moldovan"),
    ("MDG", "madagascar|republic of madagascar|malagasy"),
    ("MDV", "maldives|republic of maldives|maldivian"),
    ("MEX", "mexico|united mexican states|mexican"),
    ("MHL", "marshall islands|republic of the marshall islands"),
    ("MKD", "north macedonia|macedonia the former yugoslav republic of|republic of north macedonia|macedonia the former yugoslav republic of|macedonia|macedonia the former yugoslav republic of|macedonian|former yugoslav republic of macedonia"),
    ("MLI", "mali|republic of mali|malian"),
    ("MLT", "malta|republic of malta"),
    ("MMR", "myanmar|republic of myanmar|burma|burmese"),
    ("MNE", "montenegro|montenegrin"),
    ("MNG", "mongolia"),
    ("MNP", "northern mariana islands|commonwealth of the northern mariana islands"),
    ("MOZ", "mozambique|republic of mozambique|mozambican|mocambique"),
    ("MRT", "mauritania|islamic republic of mauritania|mauritanian|mauritanie"),
    ("MSR", "montserrat"),
    ("MTQ", "martinique"),
    ("MUS", "mauritius|republic of mauritius|mauritian"),
    ("MWI", "malawi|republic of malawi|malawian"),
    ("MYS", "malaysia|malaysian"),
    ("MYT", "mayotte"),
    ("NAM", "namibia|republic of namibia|namibian"),
    ("NCL", "new caledonia"),
    ("NER", "niger|republic of the niger|nigerien"),
    ("NFK", "norfolk island"),
    ("NGA", "nigeria|federal republic of nigeria|nigerian"),
    ("NIC", "nicaragua|republic of nicaragua|nicaraguan"),
    ("NIU", "niue"),
    ("NLD", "netherlands|kingdom of the netherlands|dutch|holland"),
    ("NOR", "norway|kingdom of norway|norwegian"),
    ("NPL", "nepal|federal democratic republic of nepal|nepalese|nepali"),
    ("NRU", "nauru|republic of nauru"),
    ("NZL", "new zealand"),
    ("OMN", "oman|sultanate of oman|omani"),
    ("PAK", "pakistan|islamic republic of pakistan|pakistani"),
    ("PAN", "panama|republic of panama|panamanian"),
    ("PCN", "pitcairn"),
    ("PER", "peru|republic of peru|peruvian"),
    ("PHL", "philippines|republic of the philippines|philippine|filipino"),
    ("PLW", "palau|republic of palau"),
    ("PNG", "papua new guinea|independent state of papua new guinea"),
    ("POL", "poland|republic of poland|polish"),
    ("PRI", "puerto rico"),
    ("PRK", "korea democratic people s republic of|democratic people s republic of korea|north korea|north korean|korea north|dprk"),
    ("PRT", "portugal|portuguese republic|portuguese"),
    ("PRY", "paraguay|republic of paraguay|paraguayan"),
    ("PSE", "palestine state of|state of palestine|palestinian|palestine|west bank|gaza"),
    ("PYF", "french polynesia"),
    ("QAT", "qatar|state of qatar|qatari"),
    ("REU", "reunion|la reunion"),
    ("ROU", "romania|romanian"),
    ("RUS", "russian federation|russian|russia"),
    ("RWA", "rwanda|rwandese republic|rwandan|rwandese"),
    ("SAU", "saudi arabia|kingdom of saudi arabia|saudi|saudi arabian"),
    ("SDN", "sudan|republic of the sudan|sudanese"),
    ("SEN", "senegal|republic of senegal|senegalese"),
    ("SGP", "singapore|republic of singapore|singaporean"),
    ("SGS", "south georgia and the south sandwich islands"),
    ("SHN", "saint helena ascension and tristan da cunha|ascension and tristan da cunha saint helena"),
    ("SJM", "svalbard and jan mayen"),
    ("SLB", "solomon islands"),
    ("SLE", "sierra leone|republic of sierra leone|sierra leonean"),
    ("SLV", "el salvador|republic of el salvador|salvadoran"),
    ("SMR", "san marino|republic of san marino"),
    ("SOM", "somalia|federal republic of somalia|somali|somalia federal republic of"),
    ("SPM", "saint pierre and miquelon"),
    ("SRB", "serbia|republic of serbia|serbian|serbia and montenegro"),
    ("SSD", "south sudan|republic of south sudan|south sudanese"),
    ("STP", "sao tome and principe|democratic republic of sao tome and principe"),
    ("SUR", "suriname|republic of suriname"),
    ("SVK", "slovakia|slovak republic|slovak"),
    ("SVN", "slovenia|republic of slovenia|slovenian"),
    ("SWE", "sweden|kingdom of sweden|swedish"),
    ("SWZ", "eswatini|kingdom of eswatini|swaziland|swazi"),
    ("SXM", "sint maarten dutch part"),
    ("SYC", "seychelles|republic of seychelles|seychellois"),
    ("SYR", "syrian arab republic|syria|syrian"),
    ("TCA", "turks and caicos islands"),
    ("TCD", "chad|republic of chad|chadian"),
    ("TGO", "togo|togolese republic|togolese"),
    ("THA", "thailand|kingdom of thailand|thai"),
    ("TJK", "tajikistan|republic of tajikistan|tajik|tajikistani"),
    ("TKL", "tokelau"),
    ("TKM", "turkmenistan|turkmen"),
    ("TLS", "timor leste|democratic republic of timor leste|east timor"),
    ("TON", "tonga|kingdom of tonga"),
    ("TTO", "trinidad and tobago|republic of trinidad and tobago|trinidad"),
    ("TUN", "tunisia|republic of tunisia|tunisian|tunisie"),
    ("TUR", "turkiye|republic of turkiye|turkish|turkey"),
    ("TUV", "tuvalu"),
    ("TWN", "taiwan province of china|province of china taiwan|taiwan|taiwanese"),
    ("TZA", "tanzania united republic of|united republic of tanzania|tanzania|tanzanian"),
    ("UGA", "uganda|republic of uganda|ugandan"),
    ("UKR", "ukraine|ukrainian"),
    ("UMI", "united states minor outlying islands"),
    ("URY", "uruguay|eastern republic of uruguay|uruguayan"),
    ("USA", "united states|united states of america|american|u s a|us"),
    ("UZB", "uzbekistan|republic of uzbekistan|uzbek|uzbekistani"),
    ("VAT", "holy see vatican city state|vatican"),
    ("VCT", "saint vincent and the grenadines"),
    ("VEN", "venezuela bolivarian republic of|bolivarian republic of venezuela|venezuela|venezuelan"),
    ("VGB", "virgin islands british|british virgin islands"),
    ("VIR", "virgin islands u s|u s virgin islands|virgin islands of the united states"),
    ("VNM", "viet nam|vietnam|socialist republic of viet nam|vietnamese"),
    ("VUT", "vanuatu|republic of vanuatu"),
    ("WLF", "wallis and futuna"),
    ("WSM", "samoa|independent state of samoa"),
    ("YEM", "yemen|republic of yemen|yemeni"),
    ("ZAF", "south africa|republic of south africa|south african"),
    ("ZMB", "zambia|republic of zambia|zambian"),
    ("ZWE", "zimbabwe|republic of zimbabwe|zimbabwean"),
];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::name("Libya", Some("LBY"))]
    #[case::adjective("German", Some("DEU"))]
    #[case::as_the_zone_prints_it("D", Some("DEU"))]
    #[case::turned_round("Korea, North", Some("PRK"))]
    #[case::official("Democratic Republic of the Congo", Some("COD"))]
    #[case::turned_round_and_long("Congo, Democratic Republic of the", Some("COD"))]
    #[case::brackets("Iran (Islamic Republic of)", Some("IRN"))]
    #[case::united_republic("United Republic of Tanzania", Some("TZA"))]
    #[case::accents("Côte d’Ivoire", Some("CIV"))]
    #[case::code("MOZ", Some("MOZ"))]
    #[case::stateless("XXA", Some("XXA"))]
    #[case::no_member_of_iso("Kosovo", Some("RKS"))]
    #[case::code_in_small_letters("moz", None)]
    #[case::nothing("", None)]
    #[case::no_country("Passport", None)]
    fn countries_are_known_by_their_words(#[case] words: &str, #[case] expected: Option<&str>) {
        assert_eq!(code(words), expected);
    }

    #[test]
    fn codes_are_in_order() {
        assert!(COUNTRIES.is_sorted_by_key(|(code, _)| *code));
    }
}
