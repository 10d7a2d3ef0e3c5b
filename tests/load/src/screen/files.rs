//! Anybody's list, queries and truth instead of generated ones.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    io::BufReader,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rovuma_schemas::Timestamp;
use rovuma_watchlist::{
    Screener,
    lists::{self, ListSource, Record, RecordSink, SinkError},
    screening::{
        Crossing, Finding, Listed, ListedNumber, ListedSubject, NumberKind, Scan, ScanKind, ScanSource,
        Verdict,
    },
};

use super::{
    list::{self, Standing},
    numbers::{NumberPlace, compared, counted, is_vin, plain},
    queries::{Family, family},
    zone,
};

/// Lines about wrong answers that are shown.
const SHOWN_MAX: usize = 20;

/// The entries of a file.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// By id.
    subjects: BTreeMap<String, ListedSubject>,
    /// The entries of the rows that only add to another one, by the row's own id.
    aliases: HashMap<String, String>,
}

/// A query of a file.
#[derive(Clone, Debug)]
pub(super) struct FileQuery {
    id: String,
    scan: Scan,
    is_name: bool,
}

/// The ids of the entries that a query is about; none are there for a query that must find nothing.
pub(super) type FileTruth = HashMap<String, HashSet<String>>;

/// What was answered to the queries of a file.
#[derive(Debug, Default)]
pub(super) struct FileAccuracy {
    pub(super) queries: usize,
    pub(super) exact_missed: usize,
    pub(super) wrong_hits: usize,
    pub(super) wrong_forwards: usize,
    pub(super) review: usize,
    /// Entries that the truth names, whose numbers are not those of the query, and that were not even put before a person.
    pub(super) alike_missed: usize,
    pub(super) unreadable: usize,
    pub(super) names_not_screened: usize,
    pub(super) exact: Vec<Duration>,
    pub(super) wrong: Vec<String>,
}

impl RecordSink for Entries {
    /// Several records may be about one entry: they share its id, or name it in `alias_of`.
    fn record(&mut self, record: Record) -> Result<(), SinkError> {
        let id = match &record.alias_of {
            Some(entry) => {
                let entry = self.resolved(entry).to_owned();
                self.aliases.insert(record.id.clone(), entry.clone());
                entry
            }
            None => record.id.clone(),
        };
        let subject = self.subjects.entry(id).or_default();
        subject.names.extend(record.names.iter().map(|name| name.full.clone()));
        subject.births.extend(record.births.iter().map(|birth| birth.text.clone()));
        for document in record.documents {
            let Some(value) = document.number else { continue };
            subject.numbers.push(ListedNumber {
                value_to: document.number_to,
                qualifier: document.issuer,
                document_type: Some(document.document_type).filter(|code| code != "other"),
                is_misused: document.is_misused,
                ..number(NumberKind::Document, value)
            });
        }
        for vehicle in record.vehicles {
            if let Some(plate) = vehicle.plate {
                let qualifier = vehicle.plate_country.clone();
                subject.numbers.push(ListedNumber { qualifier, ..number(NumberKind::Plate, plate) });
            }
            if let Some(vin) = vehicle.vin {
                let kind = if is_vin(&vin) { NumberKind::Vin } else { NumberKind::ChassisNumber };
                subject.numbers.push(number(kind, vin));
            }
        }
        Ok(())
    }
}

impl Entries {
    /// Reads a list as the service's import does.
    ///
    /// # Errors
    /// When it is refused whole.
    pub(super) fn read(path: &Path) -> Result<(Self, lists::Outcome)> {
        let mut entries = Self::default();
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        let read = lists::read(ListSource::Csv, &mut BufReader::new(file), None, &mut entries);
        let outcome = read.with_context(|| format!("reading {}", path.display()))?;
        Ok((entries, outcome))
    }

    /// The id of the entry of a row.
    fn resolved<'a>(&'a self, id: &'a str) -> &'a str {
        self.aliases.get(id).map_or(id, String::as_str)
    }

    /// The entries as the store keeps them. Each is a partner's alert in force: what is certain about it would be forwarded, so that
    /// nothing but the match keeps it back.
    pub(super) fn listed(&self, now: Timestamp) -> Vec<(String, Listed)> {
        let listed = |(at, (id, subject)): (usize, (&String, &ListedSubject))| {
            let listed = Listed {
                list: "alerts.mz.prm".to_owned(),
                reference: id.clone(),
                alert: Some(list::alert(Standing::Partner, at, now)),
                subjects: vec![subject.clone()],
            };
            (id.clone(), listed)
        };
        self.subjects.iter().enumerate().map(listed).collect()
    }

    /// Whether the entry has a number that is exactly the query's, or a series that has it, and neither state nor type contradict.
    fn is_exact(&self, id: &str, query: &FileQuery) -> bool {
        let (Some(subject), Some(stated)) = (self.subjects.get(id), query.stated()) else { return false };
        let place = query.scan.kind.and_then(place_of);
        subject.numbers.iter().any(|listed| {
            let kind = match listed.kind {
                NumberKind::Document => NumberPlace::Document,
                NumberKind::Plate => NumberPlace::Plate,
                _ => NumberPlace::Frame,
            };
            let of_listed = listed.document_type.as_deref().and_then(family);
            let is_other_state = stated
                .state
                .as_deref()
                .zip(listed.qualifier.as_deref())
                .is_some_and(|(one, other)| one != other);
            let is_other_type = stated.family.zip(of_listed).is_some_and(|(one, other)| one != other);
            place.is_none_or(|place| place == kind)
                && !(kind == NumberPlace::Document && (is_other_state || is_other_type))
                && (compared(kind, &stated.number) == plain(&listed.value)
                    || is_in_series(&stated.number, listed))
        })
    }
}

/// What a query says of a number.
struct Stated {
    number: String,
    state: Option<String>,
    family: Option<Family>,
}

impl FileQuery {
    /// The number, with state and family of the document; none of a zone that has none, or whose digit says that a character is misread.
    fn stated(&self) -> Option<Stated> {
        let (state, type_family) = match self.scan.kind {
            Some(ScanKind::Nida) => (Some("TZA".to_owned()), Some(Family::Card)),
            Some(ScanKind::Bi) => (Some("MOZ".to_owned()), Some(Family::Card)),
            _ => (None, self.scan.document_type.as_deref().and_then(family)),
        };
        if self.scan.kind != Some(ScanKind::Mrz) {
            return Some(Stated { number: plain(&self.scan.text), state, family: type_family });
        }
        let lines = zone::lines_of(&self.scan.text);
        let (number, true) = zone::number_in(&lines)? else { return None };
        let first = lines.first()?.to_ascii_uppercase();
        let state = match first.get(2..5)?.trim_end_matches(['<', ' ']) {
            "D" => "DEU".to_owned(),
            other => other.to_owned(),
        };
        let family = match first.chars().next()? {
            'P' => Some(Family::Passport),
            'V' => Some(Family::Visa),
            'I' | 'A' | 'C' => Some(Family::Card),
            _ => None,
        };
        Some(Stated { number: plain(&number), state: Some(state), family })
    }
}

/// Reads queries: columns id, text, kind.
///
/// # Errors
/// When the file cannot be read, or lacks a column.
pub(super) fn read_queries(path: &Path) -> Result<Vec<FileQuery>> {
    let rows = rows(path, &["id", "text", "kind"])?;
    Ok(rows.into_iter().map(|[id, text, kind]| query(id, &text, &kind)).collect())
}

/// Reads the truth: columns query, listed.
///
/// # Errors
/// When the file cannot be read, lacks a column, or names an entry that the list does not have.
pub(super) fn read_truth(path: &Path, entries: &Entries) -> Result<FileTruth> {
    let mut truth = FileTruth::new();
    for [query, listed] in rows(path, &["query", "listed"])? {
        let about = truth.entry(query).or_default();
        if !listed.is_empty() {
            let id = entries.resolved(&listed);
            ensure!(
                entries.subjects.contains_key(id),
                "the truth names {listed}, which the list does not have"
            );
            about.insert(id.to_owned());
        }
    }
    Ok(truth)
}

/// Asks every query and compares the answers with the truth.
///
/// # Errors
/// When the store cannot be read, or the truth names a query that is not there.
pub(super) async fn measure(
    screener: &Screener,
    entries: &Entries,
    queries: &[FileQuery],
    truth: &FileTruth,
    now: Timestamp,
) -> Result<FileAccuracy> {
    let ids: HashSet<&String> = queries.iter().map(|query| &query.id).collect();
    let unknown = truth.keys().find(|id| !ids.contains(id));
    ensure!(unknown.is_none(), "the truth names a query that is not there: {unknown:?}");
    let crossing =
        Crossing { post: "namoto_kilambo".to_owned(), direction: "exit".to_owned(), asks_protection: false };
    let nothing = HashSet::new();
    if let Some(first) = queries.first() {
        // The first look-up opens the store's files, and is not counted.
        let _warm = screener.screen(&first.scan, Some(&crossing), now).await?;
    }
    let mut accuracy = FileAccuracy::default();
    for query in queries {
        let started = Instant::now();
        let judged = screener.screen(&query.scan, Some(&crossing), now).await?;
        let elapsed = started.elapsed();
        accuracy.queries += 1;
        if query.is_name {
            accuracy.names_not_screened += 1;
            continue;
        }
        let (findings, verdict) = match &judged {
            Ok(judged) => (judged.findings.as_slice(), judged.verdict),
            Err(_) => (&[][..], Verdict::Unreadable),
        };
        accuracy.unreadable += usize::from(verdict == Verdict::Unreadable);
        accuracy.review += usize::from(verdict == Verdict::Review);
        let about = truth.get(&query.id).unwrap_or(&nothing);
        accuracy.compare(entries, query, about, findings, elapsed);
    }
    Ok(accuracy)
}

impl FileAccuracy {
    fn compare(
        &mut self,
        entries: &Entries,
        query: &FileQuery,
        about: &HashSet<String>,
        findings: &[Finding],
        elapsed: Duration,
    ) {
        let mut is_exact = false;
        for id in about {
            let found = findings.iter().find(|found| found.listed.reference == *id);
            if entries.is_exact(id, query) {
                is_exact = true;
                if !found.is_some_and(Finding::is_hit) {
                    self.exact_missed += 1;
                    self.note(query, id, "was missed");
                }
            } else if found.is_none() {
                self.alike_missed += 1;
            }
        }
        if is_exact {
            self.exact.push(elapsed);
        }
        for found in findings {
            let id = &found.listed.reference;
            let (is_named, is_exact) = (about.contains(id), entries.is_exact(id, query));
            if found.is_hit() && !is_exact {
                self.wrong_hits += 1;
                self.note(query, id, "was called a hit and is not the same");
            }
            if found.forwards() && !(is_named && is_exact) {
                self.wrong_forwards += 1;
                self.note(query, id, "would be told to its owner and must not");
            }
        }
    }

    fn note(&mut self, query: &FileQuery, id: &str, what: &str) {
        if self.wrong.len() < SHOWN_MAX {
            self.wrong.push(format!("query {}: entry {id} {what}: {:?}", query.id, query.scan));
        }
    }
}

fn query(id: String, text: &str, kind: &str) -> FileQuery {
    let word: String =
        kind.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let lines = zone::lines_of(text);
    let is_zone = matches!(word.as_str(), "mrz" | "zone" | "td1" | "td2" | "td3" | "mrva" | "mrvb" | "mrv")
        || (word != "name" && lines.len() > 1 && zone::number_in(&lines).is_some());
    if is_zone {
        let scan = Scan {
            text: lines.join("\n"),
            kind: Some(ScanKind::Mrz),
            source: ScanSource::Reader,
            ..Scan::default()
        };
        return FileQuery { id, scan, is_name: false };
    }
    let passport = Some("passport".to_owned());
    let (kind, document_type) = match word.as_str() {
        "passport" | "passportnumber" => (Some(ScanKind::Document), passport),
        "document" | "doc" | "documentnumber" | "docnumber" | "id" | "idcard" | "card" => {
            (Some(ScanKind::Document), None)
        }
        "nida" => (Some(ScanKind::Nida), None),
        "bi" => (Some(ScanKind::Bi), None),
        "plate" | "licenceplate" | "licenseplate" | "registration" => (Some(ScanKind::Plate), None),
        "vin" => (Some(ScanKind::Vin), None),
        "frame" | "chassis" | "framenumber" | "chassisnumber" => (Some(ScanKind::ChassisNumber), None),
        "engine" | "enginenumber" => (Some(ScanKind::EngineNumber), None),
        "imei" => (Some(ScanKind::Imei), None),
        "serial" => (Some(ScanKind::Serial), None),
        "name" | "person" => (Some(ScanKind::Name), None),
        _ => (None, None),
    };
    let text = text.trim().to_owned();
    let is_nameless =
        kind.is_none() && !text.chars().any(|c| c.is_ascii_digit()) && text.contains(char::is_alphabetic);
    let is_name = kind == Some(ScanKind::Name) || is_nameless;
    // An officer compared it, so that nothing but the match keeps it back.
    let scan = Scan { text, kind, document_type, confirmed: true, ..Scan::default() };
    FileQuery { id, scan, is_name }
}

const fn place_of(kind: ScanKind) -> Option<NumberPlace> {
    match kind {
        ScanKind::Mrz | ScanKind::Document | ScanKind::Nida | ScanKind::Bi => Some(NumberPlace::Document),
        ScanKind::Plate => Some(NumberPlace::Plate),
        ScanKind::Vin | ScanKind::ChassisNumber => Some(NumberPlace::Frame),
        ScanKind::EngineNumber => Some(NumberPlace::Engine),
        ScanKind::Imei | ScanKind::Serial => Some(NumberPlace::Object),
        ScanKind::Name => None,
    }
}

fn is_in_series(number: &str, listed: &ListedNumber) -> bool {
    let (from, to) = (plain(&listed.value), listed.value_to.as_deref().map(plain));
    let (Some(to), Some((prefix, at))) = (to, counted(number)) else { return false };
    let (Some((of_from, first)), Some((of_to, last))) = (counted(&from), counted(&to)) else { return false };
    number.len() == from.len() && prefix == of_from && prefix == of_to && (first..=last).contains(&at)
}

fn number(kind: NumberKind, value: String) -> ListedNumber {
    ListedNumber {
        kind,
        value,
        value_to: None,
        qualifier: None,
        document_type: None,
        is_misused: false,
        key: None,
    }
}

/// The rows of a CSV, each with the values of these columns. Other columns may stand between them.
fn rows<const N: usize>(path: &Path, columns: &[&str; N]) -> Result<Vec<[String; N]>> {
    let shown = path.display();
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(path)
        .with_context(|| format!("opening {shown}"))?;
    let header = reader.headers().with_context(|| format!("reading {shown}"))?.clone();
    let mut places = [0; N];
    for (place, column) in places.iter_mut().zip(columns) {
        let name = |name: &str| name.trim_start_matches('\u{feff}').trim().eq_ignore_ascii_case(column);
        *place = header.iter().position(name).with_context(|| format!("{shown} has no column {column}"))?;
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("reading {shown}"))?;
        rows.push(places.map(|place| record.get(place).unwrap_or_default().to_owned()));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_taken_generously() {
        let zone =
            "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<|L898902C36UTO7408122F1204159ZE184226B<<<<<10";
        for (text, kind, expected) in [
            (zone, "TD3", Some(ScanKind::Mrz)),
            (zone, "", Some(ScanKind::Mrz)),
            (&zone.replace('|', ""), "mrz", Some(ScanKind::Mrz)),
            ("T 123 ABC", "Plate", Some(ScanKind::Plate)),
            ("MD2417B99X", "frame number", Some(ScanKind::ChassisNumber)),
            ("AB123", "whatever", None),
        ] {
            let query = query("q".to_owned(), text, kind);
            assert_eq!((query.scan.kind, query.is_name), (expected, false), "{text} {kind}");
        }
        assert!(query("q".to_owned(), "Maria Exemplo", "").is_name);
        assert!(query("q".to_owned(), "Maria 2", "name").is_name);
        let stated = query("q".to_owned(), zone, "mrz").stated().expect("a number");
        assert_eq!((stated.number.as_str(), stated.state.as_deref()), ("L898902C3", Some("UTO")));
        let bent = zone.replace("L898902C36", "L898902C37");
        assert!(query("q".to_owned(), &bent, "mrz").stated().is_none(), "a character is misread");
    }

    #[test]
    fn rows_of_one_entry_are_one_entry() {
        let csv = "id,alias_of,full,doc_type,doc_issuer,doc_number,doc_number_to\n\
                   1,,Ana,passport,MOZ,AB1200000,AB1200100\n2,1,Anita,,,,\n3,2,,visa,MOZ,XY123456,\n";
        let mut entries = Entries::default();
        lists::read(ListSource::Csv, &mut csv.as_bytes(), None, &mut entries).expect("a list");
        assert_eq!((entries.subjects.len(), entries.resolved("3")), (1, "1"));
        let is_exact = |text: &str| entries.is_exact("1", &query("q".to_owned(), text, "document"));
        assert_eq!(
            ["ab-1200000", "AB1200050", "AB1200101", "xy 123456", "XY123457"].map(is_exact),
            [true, true, false, true, false]
        );
    }
}
