//! Parses and formats instants and spans of the command line.

use std::time::Duration;

use jiff::tz::TimeZone;
use rovuma_schemas::Timestamp;

const DAY_S: u64 = 24 * 60 * 60;

/// Parses an instant: RFC 3339, or a date, which means its first instant in UTC.
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).map_err(|_| {
        format!("{text:?} is neither an instant such as 2026-11-23T18:00:00Z nor a date such as 2026-11-23")
    })
}

/// Parses a span: a number and `s`, `m`, `h` or `d`.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let fault = || format!("{text:?} is not a span such as 90s, 15m, 12h or 30d");
    let unit = text.chars().last().ok_or_else(fault)?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| fault())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => DAY_S,
        _ => return Err(fault()),
    };
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(fault)
}

/// Formats a span for people: `3 d 4 h`, `12 min`, `1.234 s`.
pub(crate) fn readable(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{}.{:03} s", seconds, span.subsec_millis()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..DAY_S => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / DAY_S, seconds % DAY_S / 3600),
    }
}

/// Formats an instant in this machine's time zone, with its distance from UTC: `2026-11-29 12:05:33 +02:00`.
pub(crate) fn local(instant: Timestamp) -> String {
    in_zone(instant, TimeZone::system())
}

fn in_zone(instant: Timestamp, zone: TimeZone) -> String {
    // Every instant of ours lies within the calendar; the wire form stands in for one that did not.
    jiff::Timestamp::from_microsecond(instant.as_micros()).map_or_else(
        |_| instant.to_string(),
        |instant| instant.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_rfc_3339_or_dates() {
        assert_eq!(
            instant("2026-11-23").expect("a date"),
            instant("2026-11-23T00:00:00Z").expect("RFC 3339")
        );
        assert!(instant("tomorrow").is_err() && instant("").is_err());
    }

    #[test]
    fn spans_have_a_unit() {
        assert_eq!(span("30d").expect("days"), Duration::from_secs(30 * DAY_S));
        assert_eq!(span("90s").expect("seconds"), Duration::from_secs(90));
        for text in ["", "d", "30", "3w", "-1d", "99999999999999999d", "1é"] {
            assert!(span(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn spans_read_well() {
        assert_eq!(readable(Duration::from_millis(1_234)), "1.234 s");
        assert_eq!(readable(Duration::from_secs(3 * DAY_S + 4 * 3600)), "3 d 4 h");
    }

    #[test]
    fn local_times_name_their_distance_from_utc() {
        let instant = "2026-11-23T22:14:29.000123Z".parse().expect("an instant");
        let maputo = TimeZone::posix("CAT-2").expect("a zone");
        assert_eq!(in_zone(instant, maputo), "2026-11-24 00:14:29 +02:00");
        assert_eq!(in_zone(instant, TimeZone::UTC), "2026-11-23 22:14:29 +00:00");
    }
}
