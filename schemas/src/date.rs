//! Calendar days, where an instant would be more exact than the fact.

use std::{fmt, str::FromStr};

use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{BadId, Timestamp};

/// A day of the Gregorian calendar, `2026-11-23` (RFC 3339 `full-date`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(jiff::civil::Date);

impl Date {
    /// The day of this year, month (1–12) and day (1–31); `None` where the calendar has no such day.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        jiff::civil::Date::new(year, month, day).ok().filter(|date| date.year() >= 1).map(Self)
    }

    /// The day on which `instant` falls in UTC.
    pub fn of(instant: Timestamp) -> Self {
        let utc = jiff::Timestamp::from_microsecond(instant.as_micros()).unwrap_or(jiff::Timestamp::MAX);
        Self(Offset::UTC.to_datetime(utc).date())
    }

    /// The first instant of the day in UTC.
    pub fn start(self) -> Timestamp {
        let midnight = Offset::UTC.to_timestamp(self.0.at(0, 0, 0, 0));
        let micros = midnight.map_or(i64::MAX, |start| start.as_microsecond());
        Timestamp::from_micros(micros).unwrap_or(Timestamp::LAST)
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month, 1–12.
    pub fn month(self) -> i8 {
        self.0.month()
    }

    /// The day of the month, 1–31.
    pub fn day(self) -> i8 {
        self.0.day()
    }

    /// The same day `years` later; 29 February becomes the 28th, the calendar's end stays.
    #[must_use]
    pub fn plus_years(self, years: i16) -> Self {
        let later = self.0.checked_add(jiff::Span::new().years(i32::from(years)));
        Self(later.unwrap_or(jiff::civil::Date::MAX))
    }

    /// The day `days` later; the calendar's end stays.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self(self.0.checked_add(jiff::Span::new().days(days)).unwrap_or(jiff::civil::Date::MAX))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Date {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let date = text.parse().map(Self).map_err(|_| BadId::new("a date such as 2026-11-23", text))?;
        // One text per day: jiff takes more forms than the wire does.
        if date.to_string() == text && date.year() >= 1 {
            Ok(date)
        } else {
            Err(BadId::new("a date such as 2026-11-23", text))
        }
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for Date {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "date",
            "description": "a day, RFC 3339 full-date"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_one_text() {
        let leap: Date = "2028-02-29".parse().expect("a leap day");
        assert_eq!(leap.plus_years(1).to_string(), "2029-02-28");
        assert_eq!(Date::of(leap.start()), leap);
        for text in ["2027-02-29", "20280229", "2028-2-29", "2028-02-29T00:00:00", "-000001-01-01", ""] {
            assert!(text.parse::<Date>().is_err(), "{text:?} was taken");
        }
    }
}
