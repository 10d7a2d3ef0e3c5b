//! Lists as a whole: each case of `watchlist.jsonl` under its id, every refusal, and bytes of any kind.

mod any_bytes;
mod cases;
mod large;
mod refusals;
mod round_trip;

use super::*;

/// Keeps the records in memory.
#[derive(Default)]
struct Kept(Vec<Record>);

impl RecordSink for Kept {
    fn record(&mut self, record: Record) -> Result<(), SinkError> {
        self.0.push(record);
        Ok(())
    }
}

/// The records of a list, and what reading it tells.
fn read_all(
    source: ListSource,
    bytes: &[u8],
    more: Option<&[u8]>,
) -> Result<(Vec<Record>, Outcome), ListError> {
    let (mut bytes, mut kept) = (bytes, Kept::default());
    let outcome = match more {
        Some(mut more) => read(source, &mut bytes, Some(&mut more), &mut kept)?,
        None => read(source, &mut bytes, None, &mut kept)?,
    };
    Ok((kept.0, outcome))
}

/// A UN list of one individual with these elements.
fn un(elements: &str) -> (Record, Outcome) {
    let (mut records, outcome) = read_all(ListSource::Un, un_xml(elements).as_bytes(), None).expect("a list");
    (records.remove(0), outcome)
}

fn un_xml(elements: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CONSOLIDATED_LIST><INDIVIDUALS>\n<INDIVIDUAL>\
         <DATAID>7</DATAID><FIRST_NAME>ERIC</FIRST_NAME><SECOND_NAME>BADEGE</SECOND_NAME>\n{elements}\
         </INDIVIDUAL></INDIVIDUALS><ENTITIES/></CONSOLIDATED_LIST>"
    )
}

/// An OFAC list of one person of this name with these programmes and remarks.
fn ofac(name: &str, programs: &str, remarks: &str) -> (Record, Outcome) {
    let (mut records, outcome) =
        read_all(ListSource::Ofac, ofac_line(7, name, programs, remarks).as_bytes(), Some(b""))
            .expect("a list");
    (records.remove(0), outcome)
}

fn ofac_line(number: u64, name: &str, programs: &str, remarks: &str) -> String {
    let remarks = if remarks == "-0- " { remarks.to_owned() } else { format!("\"{remarks}\"") };
    format!(
        "{number},\"{name}\",\"individual\",\"{programs}\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,{remarks}\r\n"
    )
}
