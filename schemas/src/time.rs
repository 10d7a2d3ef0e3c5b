//! Instants: RFC 3339, UTC, truncated to microseconds.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant, RFC 3339 in UTC on the wire (`2026-11-23T18:14:29.000123Z`), truncated to whole
/// microseconds so that the value in a store (a `BIGINT` of microseconds) equals the signed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

/// An instant that is not RFC 3339, or lies outside the years a store can hold.
#[derive(Debug, thiserror::Error)]
#[error("not an RFC 3339 instant: {unverified_text:?}")]
pub struct BadTimestamp {
    unverified_text: String,
}

impl Timestamp {
    /// The last instant that can be written: the end of the year 9999.
    pub(crate) const LAST: Self = Self(jiff::Timestamp::MAX);

    /// 1970-01-01T00:00:00Z, before which nothing was signed.
    pub const EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// The instant `micros` microseconds after the Unix epoch.
    ///
    /// # Errors
    /// [`BadTimestamp`] beyond the year 9999.
    pub fn from_micros(micros: i64) -> Result<Self, BadTimestamp> {
        jiff::Timestamp::from_microsecond(micros)
            .map(Self)
            .map_err(|_| BadTimestamp { unverified_text: format!("{micros} µs") })
    }

    /// Microseconds since the Unix epoch: the form in stores.
    pub fn as_micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// The instant `unix_s` whole seconds after the Unix epoch; none beyond the year 9999.
    pub fn from_unix_s(unix_s: u64) -> Option<Self> {
        let micros = i64::try_from(unix_s).ok()?.checked_mul(1_000_000)?;
        Self::from_micros(micros).ok()
    }

    /// The year in UTC.
    pub fn year(self) -> i16 {
        jiff::tz::Offset::UTC.to_datetime(self.0).year()
    }

    /// This instant and `span` later; at the end of the calendar it stays there.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.as_micros().saturating_add(micros)).unwrap_or(Self(jiff::Timestamp::MAX))
    }

    /// This instant and `span` earlier; at the start of the calendar it stays there.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.as_micros().saturating_sub(micros)).unwrap_or(Self(jiff::Timestamp::MIN))
    }

    /// The time from `earlier` to this instant, zero when `earlier` is the later one.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.as_micros().saturating_sub(earlier.as_micros()).max(0).unsigned_abs())
    }

    /// The time of the machine's clock. Only a `Clock` of the runtime should call it. Everything else gets the time as an
    /// argument, so that a test can set it.
    pub fn system_now() -> Self {
        Self::from_micros(jiff::Timestamp::now().as_microsecond()).unwrap_or(Self(jiff::Timestamp::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = BadTimestamp;

    fn from_str(text: &str) -> Result<Self, BadTimestamp> {
        let parsed: jiff::Timestamp =
            text.parse().map_err(|_| BadTimestamp { unverified_text: text.chars().take(40).collect() })?;
        Self::from_micros(parsed.as_microsecond())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339 instant in UTC, at most microseconds"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_the_same() {
        let instant = Timestamp::from_micros(1_795_457_669_000_123).expect("in range");
        assert_eq!(instant.to_string(), "2026-11-23T18:14:29.000123Z");
        assert_eq!(instant.to_string().parse::<Timestamp>().expect("reads back"), instant);
    }

    #[test]
    fn nanoseconds_are_cut_and_nonsense_is_refused() {
        let cut: Timestamp = "2026-11-23T18:14:29.000123999Z".parse().expect("RFC 3339");
        assert_eq!(cut.as_micros() % 1_000, 123);
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert!("2026-11-23".parse::<Timestamp>().is_err());
    }
}
