//! The generated list: persons, documents, vehicles, telephones, as a country has them after years. Names and numbers are invented.

use rovuma_schemas::{CaseId, MessageId, Timestamp};
use rovuma_watchlist::screening::{AlertFacts, Listed, ListedNumber, ListedSubject, NumberKind};

use super::{
    numbers::{NumberPlace, luhn_digit, with_vin_digit},
    random::Random,
};

/// What an entry is, on which it depends whether it may be forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// A partner's alert in force: a certain match is forwarded.
    Partner,
    /// A record of an imported list.
    Imported,
    /// The alert of another agency of this installation, which sent it to the one that scans: it is forwarded likewise.
    Neighbour,
    /// An alert of the agency that scans, or of a neighbour that sent it to nobody here.
    Own,
    /// A partner's alert that is not executed here.
    Flagged,
    /// A partner's alert that has ended, or that nobody confirmed in time: nobody acts on it.
    Over,
}

/// How many of a hundred entries are what.
const STANDINGS: [(usize, Standing); 6] = [
    (76, Standing::Partner),
    (4, Standing::Neighbour),
    (8, Standing::Imported),
    (4, Standing::Own),
    (4, Standing::Flagged),
    (4, Standing::Over),
];

/// An entry, as little of it as the truth needs.
#[derive(Clone, Debug)]
pub(super) struct ListedEntry {
    pub(super) standing: Standing,
    pub(super) holder: Option<Holder>,
    pub(super) make: Option<&'static str>,
    /// Its numbers in [`List::numbers`].
    pub(super) numbers: std::ops::Range<usize>,
}

/// Whom a document names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) surname: &'static str,
    pub(super) given: &'static str,
    pub(super) year: usize,
    pub(super) month: usize,
    pub(super) day: usize,
}

/// A listed number.
#[derive(Clone, Debug)]
pub(super) struct Number {
    /// The entry that has it, in [`List::entries`].
    pub(super) entry: usize,
    pub(super) kind: NumberKind,
    /// Capitals and digits alone.
    pub(super) value: String,
    /// The last number of a series.
    pub(super) to: Option<String>,
    /// The state that issued the document or registered the plate.
    pub(super) state: Option<&'static str>,
    /// The code of the document's type.
    pub(super) document_type: Option<&'static str>,
    /// Whether the identity is an innocent person's.
    pub(super) is_misused: bool,
}

/// The list.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    pub(super) entries: Vec<ListedEntry>,
    pub(super) numbers: Vec<Number>,
}

/// How many there are of what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amounts {
    /// Persons, each with one or two documents.
    pub(super) persons: usize,
    /// Numbers of documents and things, beside those of persons.
    pub(super) numbers: usize,
}

const STATES: [&str; 20] = [
    "MOZ", "MOZ", "MOZ", "MOZ", "MOZ", "MOZ", "MOZ", "MOZ", "TZA", "TZA", "TZA", "TZA", "TZA", "TZA", "TZA",
    "TZA", "MWI", "KEN", "PRT", "DEU",
];
const SURNAMES: [&str; 16] = [
    "EXEMPLO",
    "MFANO",
    "INVENTADO",
    "BANDIA",
    "FICTICIO",
    "KUBUNI",
    "MODELO",
    "SAMPULI",
    "PROVA",
    "JARIBIO",
    "AMOSTRA",
    "NAMUNA",
    "ENSAIO",
    "ZOEZI",
    "TESTE",
    "MAZOEZI",
];
const GIVEN: [&str; 12] = [
    "ANA MARIA",
    "JUMA",
    "CARLOS",
    "ASHA",
    "PAULO JORGE",
    "NEEMA",
    "FATIMA",
    "BARAKA",
    "LUISA",
    "HAMISI",
    "TERESA",
    "ZUBERI",
];
const MAKES: [&str; 6] = ["Toyota", "Bajaj", "Honda", "Isuzu", "Nissan", "TVS"];
const PASSPORTS: [&str; 3] = ["passport", "diplomatic_passport", "service_passport"];
const WITHOUT_ZONE: [&str; 4] =
    ["driving_licence", "emergency_certificate", "border_pass", "vehicle_registration"];

impl List {
    /// Draws a list.
    pub(super) fn draw(amounts: Amounts, random: &mut Random) -> Self {
        let mut list = Self::default();
        for _ in 0..amounts.persons {
            let documents = random.between(1, 2);
            let holder = Some(Holder::draw(random));
            list.begin(random, holder, None);
            for _ in 0..documents {
                list.identity(random);
            }
        }
        let persons = list.numbers.len();
        while list.numbers.len() < persons + amounts.numbers {
            match random.below(100) {
                0..45 => {
                    let holder = random.happens(30).then(|| Holder::draw(random));
                    list.begin(random, holder, None);
                    list.document(random);
                }
                45..65 => {
                    list.begin(random, None, None);
                    list.identity(random);
                }
                65..67 => {
                    list.begin(random, None, None);
                    list.series(random);
                }
                67..92 => list.vehicle(random),
                _ => {
                    list.begin(random, None, None);
                    let digits = random.fill("35dddddddddddd");
                    let value = format!("{digits}{}", luhn_digit(&digits));
                    list.number(NumberKind::Imei, value, None, None);
                }
            }
        }
        list
    }

    fn begin(&mut self, random: &mut Random, holder: Option<Holder>, make: Option<&'static str>) {
        let mut drawn = random.below(100);
        let standing = STANDINGS.iter().find(|(share, _)| {
            let is_it = drawn < *share;
            drawn = drawn.saturating_sub(*share);
            is_it
        });
        let standing = standing.map_or(Standing::Partner, |(_, standing)| *standing);
        let at = self.numbers.len();
        self.entries.push(ListedEntry { standing, holder, make, numbers: at..at });
    }

    fn number(
        &mut self,
        kind: NumberKind,
        value: String,
        state: Option<&'static str>,
        document_type: Option<&'static str>,
    ) {
        let entry = self.entries.len() - 1;
        self.numbers.push(Number { entry, kind, value, to: None, state, document_type, is_misused: false });
        if let Some(last) = self.entries.last_mut() {
            last.numbers.end = self.numbers.len();
        }
    }

    /// A card or a passport.
    fn identity(&mut self, random: &mut Random) {
        let birth =
            self.entries.last().and_then(|entry| entry.holder).unwrap_or_else(|| Holder::draw(random));
        match random.below(3) {
            0 => {
                let form = if random.happens(80) { "ddddddddddddl" } else { "ddddddddd" };
                self.number(NumberKind::Document, random.fill(form), Some("MOZ"), Some("bi_mz"));
            }
            1 => {
                let day = if random.happens(30) { (1, 1) } else { (birth.month, birth.day) };
                let value = random.fill(&format!("{:04}{:02}{:02}dddddddddddd", birth.year, day.0, day.1));
                self.number(NumberKind::Document, value, Some("TZA"), Some("nida_tz"));
            }
            _ => self.document(random),
        }
    }

    fn document(&mut self, random: &mut Random) {
        let state = Some(*random.pick(&STATES)).filter(|_| !random.happens(3));
        let document_type = match random.below(100) {
            0..70 => Some(*random.pick(&PASSPORTS)),
            70..78 => Some("residence_permit"),
            78..88 => Some("visa"),
            88..97 => Some(*random.pick(&WITHOUT_ZONE)),
            _ => None,
        };
        let form = *random.pick(&[
            "llddddddd",
            "ddllddddd",
            "lldddddd",
            "ldddddddd",
            "ddddddddd",
            "ldddddd",
            "llllldddd",
        ]);
        self.number(NumberKind::Document, random.fill(form), state, document_type);
        if let Some(last) = self.numbers.last_mut() {
            last.is_misused = random.happens(1);
        }
    }

    /// A series of stolen blanks.
    fn series(&mut self, random: &mut Random) {
        let (prefix, from) = (random.fill("ll"), random.below(9_000_000));
        let to = from + random.between(9, 2_000);
        let state = Some(*random.pick(&STATES));
        self.number(NumberKind::Document, format!("{prefix}{from:07}"), state, Some("passport"));
        if let Some(last) = self.numbers.last_mut() {
            last.to = Some(format!("{prefix}{to:07}"));
        }
    }

    fn vehicle(&mut self, random: &mut Random) {
        let make = *random.pick(&MAKES);
        let make = (!random.happens(20)).then_some(make);
        self.begin(random, None, make);
        if random.happens(80) {
            let (form, state) = *random.pick(&[
                ("llldddMC", "MOZ"),
                ("llldddMP", "MOZ"),
                ("llldddCD", "MOZ"),
                ("MlCdddd", "MOZ"),
                ("Tdddlll", "TZA"),
                ("Tdddlll", "TZA"),
                ("MCdddlll", "TZA"),
                ("STLdddd", "TZA"),
            ]);
            let value = random.fill(form);
            self.number(NumberKind::Plate, value, Some(state), None);
        }
        if random.happens(70) {
            match random.below(3) {
                0 => {
                    let form = *random.pick(&["1vvvvvvvvvvdddddd", "4vvvvvvvvvvdddddd", "vvvvvvvvvvvdddddd"]);
                    let value = with_vin_digit(&random.fill(form));
                    self.number(NumberKind::Vin, value, None, None);
                }
                1 => {
                    let value = {
                        let form = *random.pick(&["MD2vvvvvvvvdddddd", "JTEvvvvvvvvdddddd"]);
                        random.fill(form)
                    };
                    self.number(NumberKind::Vin, value, None, None);
                }
                _ => {
                    let length = random.between(8, 17);
                    let value = random.fill(&format!("{}dddddd", &"lllddlldddl"[..length - 6]));
                    self.number(NumberKind::ChassisNumber, value, None, None);
                }
            }
        }
        if random.happens(30) || self.entries.last().is_some_and(|entry| entry.numbers.is_empty()) {
            let value = random.fill("llldddddd");
            self.number(NumberKind::EngineNumber, value, None, None);
        }
    }

    /// An entry as the store keeps it, with the name of its record. All entries are of an imported list where the service is to read them
    /// beside the alerts that its gateway tells of.
    pub(super) fn listed(&self, at: usize, now: Timestamp, is_imported: bool) -> (String, Listed) {
        let entry = &self.entries[at];
        let numbers = self.numbers[entry.numbers.clone()].iter().map(Number::listed).collect();
        let name = |holder: &Holder| format!("{} {}", holder.given, holder.surname);
        let birth = |holder: &Holder| format!("{:04}-{:02}-{:02}", holder.year, holder.month, holder.day);
        let subject = ListedSubject {
            key: Some("d1".to_owned()),
            names: entry.holder.iter().map(name).collect(),
            births: entry.holder.iter().map(birth).collect(),
            make: entry.make.map(str::to_owned),
            numbers,
            ..ListedSubject::default()
        };
        let is_alert = !is_imported && entry.standing != Standing::Imported;
        let listed = Listed {
            list: if is_alert { "alerts.mz.prm" } else { "generated" }.to_owned(),
            reference: reference(at),
            alert: is_alert.then(|| alert(entry.standing, at, now)),
            subjects: vec![subject],
        };
        (reference(at), listed)
    }
}

/// The agency that scans.
pub(super) const AGENCY: &str = "mz.prm";

/// Another agency of the same installation.
const NEIGHBOUR: &str = "mz.sernic";

/// The name by which an entry is found again in an answer.
pub(super) fn reference(at: usize) -> String {
    format!("E{at}")
}

/// The entry of a [`reference()`].
pub(super) fn entry_of(reference: &str) -> Option<usize> {
    reference.strip_prefix('E')?.parse().ok()
}

/// An alert of this standing. It is a partner's in force unless the standing says otherwise.
pub(super) fn alert(standing: Standing, at: usize, now: Timestamp) -> AlertFacts {
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let is_even = at.is_multiple_of(2);
    let (owner, held_by) = match standing {
        Standing::Own if is_even => (AGENCY, vec![AGENCY, NEIGHBOUR]),
        Standing::Own => (NEIGHBOUR, vec![NEIGHBOUR]),
        Standing::Neighbour => (NEIGHBOUR, vec![AGENCY, NEIGHBOUR]),
        _ => ("tz.tpf", vec![AGENCY]),
    };
    let is_over = standing == Standing::Over;
    AlertFacts {
        case: CaseId {
            kind: "alert".to_owned(),
            // The codes above are well-formed.
            owner: owner.parse().expect("an agency's code"),
            id: MessageId::draw(now),
        },
        version: 1,
        state: "active".to_owned(),
        status: "actual".to_owned(),
        handling: "H0".to_owned(),
        category: "document".to_owned(),
        actions: vec!["seize".to_owned()],
        warnings: Vec::new(),
        ends: Some(if is_over && is_even { now.minus(day) } else { now.plus(day * 100) }),
        confirm_by: (is_over && !is_even).then(|| now.minus(day)),
        flagged: (standing == Standing::Flagged).then(|| "national_law".to_owned()),
        held_by: held_by.iter().filter_map(|code| code.parse().ok()).collect(),
    }
}

impl Number {
    pub(super) fn place(&self) -> NumberPlace {
        match self.kind {
            NumberKind::Document => NumberPlace::Document,
            NumberKind::Plate => NumberPlace::Plate,
            NumberKind::Vin | NumberKind::ChassisNumber => NumberPlace::Frame,
            NumberKind::EngineNumber => NumberPlace::Engine,
            NumberKind::Imei | NumberKind::FirearmSerial | NumberKind::ObjectSerial => NumberPlace::Object,
        }
    }

    fn listed(&self) -> ListedNumber {
        ListedNumber {
            kind: self.kind,
            value: self.value.clone(),
            value_to: self.to.clone(),
            qualifier: self.state.map(str::to_owned),
            document_type: self.document_type.map(str::to_owned),
            is_misused: self.is_misused,
            key: None,
        }
    }
}

impl Holder {
    pub(super) fn draw(random: &mut Random) -> Self {
        Self {
            surname: *random.pick(&SURNAMES),
            given: *random.pick(&GIVEN),
            year: random.between(1950, 2007),
            month: random.between(1, 12),
            day: random.between(1, 28),
        }
    }
}
