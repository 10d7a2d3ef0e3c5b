//! Entries as rows of a table (RFC 4180).

use rovuma_api::answers::audit::LogEntry;
use rovuma_schemas::audit::{AuditEvent, AuditLeaf, REFERENCE_DETAIL};

use crate::error::DbError;

const COLUMNS: [&str; 20] = [
    "index",
    "stored_at",
    "time",
    "source",
    "epoch",
    "sequence",
    "actor",
    "session",
    "agency",
    "action",
    "object_kind",
    "object",
    "purpose",
    "outcome",
    "reason",
    "reference",
    "message_digest",
    "details",
    "event_digest",
    "erased_by",
];

/// Rows of a table.
pub(super) struct CsvRows(csv::Writer<Vec<u8>>);

impl Default for CsvRows {
    fn default() -> Self {
        Self(csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new()))
    }
}

impl CsvRows {
    /// The first row.
    pub(super) fn heading() -> Result<Vec<u8>, DbError> {
        let mut rows = Self::default();
        rows.0.write_record(COLUMNS).map_err(|fault| DbError::damaged("table", fault))?;
        rows.into_bytes()
    }

    /// Adds an entry: what its leaf says, and what its event says beyond that unless it was erased.
    pub(super) fn add(&mut self, entry: &LogEntry) -> Result<(), DbError> {
        let leaf = AuditLeaf::from_bytes(entry.leaf.get().as_bytes())
            .map_err(|fault| DbError::damaged("leaf", fault))?;
        let event: Option<AuditEvent> = entry
            .event
            .as_ref()
            .map(|event| serde_json::from_str(event.get()))
            .transpose()
            .map_err(|fault| DbError::damaged("event", fault))?;
        let (object_kind, object) = leaf.object.map(|object| (object.kind, object.id)).unzip();
        let text = |value: Option<String>| value.unwrap_or_default();
        let beyond =
            |part: fn(&AuditEvent) -> Option<String>| event.as_ref().and_then(part).unwrap_or_default();
        let row: [String; COLUMNS.len()] = [
            entry.index.to_string(),
            entry.stored_at.to_string(),
            leaf.time.to_string(),
            leaf.source,
            leaf.epoch.to_string(),
            leaf.sequence.to_string(),
            leaf.actor,
            text(leaf.session),
            text(leaf.agency.map(|agency| agency.to_string())),
            leaf.action.to_string(),
            text(object_kind),
            text(object),
            text(leaf.purpose),
            leaf.outcome.as_str().to_owned(),
            beyond(|event| event.reason.clone()),
            beyond(|event| event.details.get(REFERENCE_DETAIL).cloned()),
            text(leaf.message.map(|digest| digest.to_string())),
            beyond(|event| serde_json::to_string(&event.details).ok().filter(|_| !event.details.is_empty())),
            entry.digest.clone(),
            text(entry.erased_by.map(|index| index.to_string())),
        ];
        let cells = row.iter().map(|cell| plain(cell));
        self.0.write_record(cells.map(String::into_bytes)).map_err(|fault| DbError::damaged("table", fault))
    }

    pub(super) fn into_bytes(self) -> Result<Vec<u8>, DbError> {
        self.0.into_inner().map_err(|fault| DbError::damaged("table", fault.to_string()))
    }
}

/// A text that no spreadsheet takes for a formula.
fn plain(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}
