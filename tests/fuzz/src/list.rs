//! Target `list`: a file that an operator imports. The first byte chooses its source, of the UN, of OFAC or a CSV.

use rovuma_watchlist::lists::{self, ListSource, Record, RecordSink, SinkError};

/// Maximum records that are looked at: what comes later is no other kind of thing.
const LOOKED_AT_MAX: usize = 64;

#[derive(Default)]
struct Sink(Vec<Record>);

impl RecordSink for Sink {
    fn record(&mut self, record: Record) -> Result<(), SinkError> {
        assert!(!record.id.is_empty(), "a record without an id");
        assert!(record.line > 0, "a record of no line");
        if self.0.len() < LOOKED_AT_MAX {
            self.0.push(record);
        }
        Ok(())
    }
}

/// A file is a list or is refused with a reason; what a list says is told and counted; a CSV that was written can be read again.
pub fn run(data: &[u8]) {
    let Some((first, file)) = data.split_first() else { return };
    let source = [ListSource::Un, ListSource::Ofac, ListSource::Csv][usize::from(first % 3)];
    let mut sink = Sink::default();
    match lists::read(source, &mut &*file, None, &mut sink) {
        Ok(outcome) => {
            let told = u64::try_from(outcome.skipped.len()).unwrap_or(u64::MAX);
            assert!(told <= outcome.counts.skipped, "more is told than counted");
            assert!(outcome.skipped.iter().all(|skipped| !skipped.reason.is_empty()));
        }
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
    // A list without a record is refused as empty, a written one too.
    if sink.0.is_empty() {
        return;
    }
    let written = lists::write_csv(&sink.0);
    let mut again = Sink::default();
    lists::read(ListSource::Csv, &mut written.as_bytes(), None, &mut again)
        .expect("what was written is read");
}
