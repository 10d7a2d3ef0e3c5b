//! Parses and formats instants and spans of the command line.

use std::time::Duration;

use jiff::tz::{Offset, TimeZone};
use rovuma_schemas::{CountryCode, Date, Timestamp};

const DAY_S: u64 = 24 * 60 * 60;

/// The zones of the countries on the river, by which limits are shown: the name that people use, and the hours ahead of UTC. Neither
/// country changes its clocks. The times of another country are shown in this machine's zone alone.
const ZONES: [(&str, &str, i8); 2] = [("mz", "CAT", 2), ("tz", "EAT", 3)];

/// Parses an instant: RFC 3339, or a date, which means its first instant in UTC.
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).map_err(|_| {
        format!("{text:?} is neither an instant such as 2026-11-23T18:00:00Z nor a date such as 2026-11-23")
    })
}

/// Parses the end of something: RFC 3339, or a date, which ends at 24:00 UTC.
pub(crate) fn end(text: &str) -> Result<Timestamp, String> {
    match text.parse::<Date>() {
        Ok(day) => Ok(day.plus_days(1).start()),
        Err(_) => instant(text),
    }
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

/// Formats a limit in the zones of both countries, the reader's own first: `2026-11-29 14:35 CAT · 15:35 EAT`. Whoever is in a
/// country without a known zone reads it in this machine's zone.
pub(crate) fn in_both_zones(
    instant: Timestamp,
    own: Option<CountryCode>,
    other: Option<CountryCode>,
) -> String {
    let zone = |country: CountryCode| ZONES.iter().find(|(code, ..)| *code == country.as_str());
    let Some(first) = own.and_then(zone) else { return local(instant) };
    let format = |zone: &(&str, &str, i8), format: &str| {
        formatted(instant, TimeZone::fixed(Offset::constant(zone.2)), format)
    };
    let here = format!("{} {}", format(first, "%Y-%m-%d %H:%M"), first.1);
    let Some(second) = other.and_then(zone).filter(|zone| zone.1 != first.1) else { return here };
    let is_same_day = format(first, "%Y-%m-%d") == format(second, "%Y-%m-%d");
    let there = format(second, if is_same_day { "%H:%M" } else { "%Y-%m-%d %H:%M" });
    format!("{here} · {there} {}", second.1)
}

/// The country on the other bank: the only other one with a known zone.
pub(crate) fn neighbour(own: CountryCode) -> Option<CountryCode> {
    let mut others = ZONES.iter().filter(|(code, ..)| *code != own.as_str());
    let first = others.next()?;
    if others.next().is_some() { None } else { first.0.parse().ok() }
}

fn in_zone(instant: Timestamp, zone: TimeZone) -> String {
    formatted(instant, zone, "%Y-%m-%d %H:%M:%S %:z")
}

fn formatted(instant: Timestamp, zone: TimeZone, format: &str) -> String {
    // Every instant of ours lies within the calendar; the wire form stands in for one that did not.
    jiff::Timestamp::from_microsecond(instant.as_micros()).map_or_else(
        |_| instant.to_string(),
        |instant| instant.to_zoned_datetime(zone).strftime(format).to_string(),
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
    fn a_date_ends_at_midnight_of_utc() {
        assert_eq!(end("2026-11-23").expect("a date"), instant("2026-11-24").expect("a date"));
        assert_eq!(end("2026-11-23T10:00:00Z").expect("an instant").to_string(), "2026-11-23T10:00:00Z");
        assert!(end("tomorrow").is_err());
    }

    #[test]
    fn a_limit_is_shown_on_both_banks_of_the_river() {
        let (mz, tz) = ("mz".parse().ok(), "tz".parse().ok());
        let at = |text: &str| text.parse().expect("an instant");
        let afternoon = in_both_zones(at("2026-11-29T12:35:00Z"), mz, tz);
        assert_eq!(afternoon, "2026-11-29 14:35 CAT · 15:35 EAT");
        let midnight = in_both_zones(at("2026-11-29T21:35:00Z"), tz, mz);
        assert_eq!(midnight, "2026-11-30 00:35 EAT · 2026-11-29 23:35 CAT");
        assert_eq!(in_both_zones(at("2026-11-29T12:35:00Z"), mz, mz), "2026-11-29 14:35 CAT");
        assert_eq!((mz.and_then(neighbour), tz.and_then(neighbour)), (tz, mz));
    }

    #[test]
    fn local_times_name_their_distance_from_utc() {
        let instant = "2026-11-23T22:14:29.000123Z".parse().expect("an instant");
        let maputo = TimeZone::posix("CAT-2").expect("a zone");
        assert_eq!(in_zone(instant, maputo), "2026-11-24 00:14:29 +02:00");
        assert_eq!(in_zone(instant, TimeZone::UTC), "2026-11-23 22:14:29 +00:00");
    }
}
