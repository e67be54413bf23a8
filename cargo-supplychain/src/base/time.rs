//! Instants in UTC with the precision of a second. Pure: the clock is read once, in the CLI, and handed down.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// An instant in UTC, whole seconds. Text form: RFC 3339 with `Z`, `2026-11-23T16:33:14Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

/// The text is neither an RFC 3339 time nor a `YYYY-MM-DD` date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTime;

impl fmt::Display for InvalidTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an RFC 3339 time such as 2026-11-23T16:00:00Z, or a date such as 2026-11-23")
    }
}

impl std::error::Error for InvalidTime {}

impl Timestamp {
    /// The instant `seconds` after 1970-01-01T00:00:00Z, if it is of the years 0 to 9999, which RFC 3339 can write.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Option<Self> {
        OffsetDateTime::from_unix_timestamp(seconds).ok().filter(|instant| (0..=9999).contains(&instant.year())).map(Self)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// Whole days from `earlier` to this instant, negative when `earlier` is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).whole_days()
    }

    /// `YYYY-MM-DD`, in UTC.
    #[must_use]
    pub fn date(self) -> String {
        self.0.format(format_description!("[year]-[month]-[day]")).expect("a date has these parts")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).expect("a UTC time of the years 0 to 9999 is RFC 3339"))
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTime;

    /// RFC 3339 in any offset, or a date, which means its first instant in UTC.
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        let instant = OffsetDateTime::parse(&full, &Rfc3339).map_err(|_| InvalidTime)?;
        Self::from_unix(instant.unix_timestamp()).ok_or(InvalidTime)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_offsets_and_dates_and_writes_utc() {
        for (text, shown) in [
            ("2026-11-23T16:33:14Z", "2026-11-23T16:33:14Z"),
            ("2026-08-21T08:28:40+02:00", "2026-08-21T06:28:40Z"),
            ("2026-11-23T16:33:14.999Z", "2026-11-23T16:33:14Z"),
            ("2026-11-23", "2026-11-23T00:00:00Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), shown);
        }
        let year_before_0 = "0000-01-01T00:00:00+00:01";
        for bad in ["", "yesterday", "2026-13-01", "9999999999", year_before_0, "9999-12-31T23:59:59-00:01"] {
            assert_eq!(bad.parse::<Timestamp>(), Err(InvalidTime), "{bad}");
        }
        // A commit may claim any number.
        for seconds in [i64::MIN, -62_167_219_201, 253_402_300_800, i64::MAX] {
            assert_eq!(Timestamp::from_unix(seconds), None, "{seconds}");
        }
        assert_eq!(Timestamp::from_unix(-62_167_219_200).unwrap().to_string(), "0000-01-01T00:00:00Z");
    }
}
