//! Target `screen`: what a post scans or types. The first byte chooses what the caller says of it.

use rovuma_schemas::{AgencyCode, CaseId, MessageId};
use rovuma_watchlist::screening::{
    AlertFacts, Crossing, EntryNo, Index, Listed, ListedNumber, ListedSubject, Looked, NumberKind, Question,
    Rules, Scan, ScanKind, ScanSource, Verdict, judge,
};

use crate::fixture::{agency, now};

const KINDS: [Option<ScanKind>; 12] = [
    None,
    Some(ScanKind::Mrz),
    Some(ScanKind::Document),
    Some(ScanKind::Nida),
    Some(ScanKind::Bi),
    Some(ScanKind::Plate),
    Some(ScanKind::Vin),
    Some(ScanKind::ChassisNumber),
    Some(ScanKind::EngineNumber),
    Some(ScanKind::Imei),
    Some(ScanKind::Serial),
    Some(ScanKind::Name),
];

/// Whatever is forwarded is equal to what is listed or lies in its series; what is found by the index is found without it.
pub fn run(data: &[u8]) {
    let Some((first, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let scan = Scan {
        text: text.to_owned(),
        // The upper bits say the rest.
        kind: KINDS[usize::from(first & 15) % KINDS.len()],
        state: (first & 16 != 0).then(|| "UTO".to_owned()),
        document_type: (first & 32 != 0).then(|| "passport".to_owned()),
        source: if first & 64 != 0 { ScanSource::Camera } else { ScanSource::Typed },
        confirmed: first & 128 != 0,
        ..Scan::default()
    };
    let entries = entries();
    let mut index = Index::default();
    for (number, listed) in &entries {
        index.add(*number, listed);
    }
    let Ok(looked) = Looked::look(&scan, &index) else { return };
    let found = entries.iter().filter(|(number, _)| looked.candidates.contains(number)).cloned().collect();
    let crossing =
        Crossing { post: "namoto_kilambo".to_owned(), direction: "entry".to_owned(), asks_protection: false };
    let (rules, own): (Rules, AgencyCode) = (Rules::default(), agency("mz.prm"));
    let question =
        Question { scan: &scan, crossing: Some(&crossing), rules: &rules, agency: &own, now: now() };
    let by_index = judge(&question, looked, found);
    for finding in &by_index.findings {
        if finding.forwards() {
            assert!(finding.is_hit() && finding.doubts.is_empty());
            let effect = &finding.explanation[0].effect;
            assert!(effect == "equal" || effect == "in_series", "{finding:?}");
        }
    }
    // Every entry, without asking the index: it leaves nothing out.
    let looked = Looked::look(&scan, &index).expect("it was read a moment ago");
    let whole = judge(&question, looked, entries);
    assert_eq!(whole, by_index, "the index left something out");
    assert!(whole.verdict != Verdict::Unreadable);
}

fn entries() -> Vec<(EntryNo, Listed)> {
    let number = |kind, value: &str, to: Option<&str>| ListedNumber {
        kind,
        value: value.to_owned(),
        value_to: to.map(str::to_owned),
        qualifier: Some("UTO".to_owned()),
        document_type: (kind == NumberKind::Document).then(|| "passport".to_owned()),
        is_misused: false,
        key: None,
    };
    let numbers = [
        number(NumberKind::Document, "L898902C3", None),
        number(NumberKind::Document, "AB1200000", Some("AB1209999")),
        number(NumberKind::Document, "19880214-11101-00001-23", None),
        number(NumberKind::Plate, "MC 123 ABC", None),
        number(NumberKind::Vin, "1M8GDM9AXKP042788", None),
        number(NumberKind::ChassisNumber, "MD2A21EZ0EWA", None),
        number(NumberKind::EngineNumber, "DUZ 417", None),
        number(NumberKind::Imei, "352099001761481", None),
        number(NumberKind::FirearmSerial, "AK/1O", None),
    ];
    (1..).zip(numbers).map(|(entry, number)| (entry, listed(number))).collect()
}

fn listed(number: ListedNumber) -> Listed {
    let id: MessageId = "0199c5a1-7b3e-7002-8a10-000000000002".parse().expect("an id");
    Listed {
        list: "alerts.mz.prm".to_owned(),
        reference: number.value.clone(),
        alert: Some(AlertFacts {
            case: CaseId { kind: "alert".to_owned(), owner: agency("tz.tpf"), id },
            version: 1,
            state: "active".to_owned(),
            status: "actual".to_owned(),
            handling: "H0".to_owned(),
            category: "document".to_owned(),
            actions: vec!["seize".to_owned()],
            warnings: Vec::new(),
            ends: None,
            confirm_by: None,
            flagged: None,
            held_by: vec![agency("mz.prm")],
        }),
        subjects: vec![ListedSubject { numbers: vec![number], ..ListedSubject::default() }],
    }
}
