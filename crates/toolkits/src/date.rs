//! Days as numbers and as ISO 8601 text. No clock and no time zones but UTC.

/// Days since 0000-03-01 in the Gregorian calendar, from a date that exists.
pub(crate) const fn day(year: u64, month: u64, day_of_month: u64) -> u64 {
    // years that begin in March end with the leap day, so no month needs to know about it
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day_of_month - 1
}

/// The date of a day, as `2026-10-31`.
pub(crate) fn iso(day_number: u64) -> String {
    let mut year = day_number * 400 / 146_097;
    while day(year + 1, 3, 1) <= day_number {
        year += 1;
    }
    while day(year, 3, 1) > day_number {
        year -= 1;
    }
    let rest = day_number - day(year, 3, 1);
    let month = (5 * rest + 2) / 153;
    let day_of_month = rest - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 {
        (year, month + 3)
    } else {
        (year + 1, month - 9)
    };
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

/// The day of a date such as `2026-10-31`, or of a moment that begins with one; nothing for other
/// text.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let mut parts = text.get(..10)?.split('-').map(str::parse);
    let (Some(Ok(year)), Some(Ok(month @ 1..=12)), Some(Ok(date @ 1..=31))) =
        (parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    (year >= 1).then(|| day(year, month, date))
}

/// Milliseconds since 1970 of a day, or of a moment such as [`utc`] writes; nothing for other text.
pub(crate) fn ms(text: &str) -> Option<u64> {
    let days = parse(text)?.checked_sub(day(1970, 1, 1))?;
    let time = match text.len() {
        10 => "00:00:00",
        _ => text.get(11..19)?,
    };
    let mut parts = time.split(':');
    let mut next = || parts.next().and_then(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (next()?, next()?, next()?);
    Some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000)
}

/// A moment, in milliseconds since 1970, as `2026-10-31T08:00:00Z`.
pub(crate) fn utc(ms: u64) -> String {
    let (days, seconds) = (ms / 86_400_000, ms / 1000 % 86_400);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!(
        "{}T{hour:02}:{minute:02}:{second:02}Z",
        iso(day(1970, 1, 1) + days)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_survive_the_round_trip() {
        for (year, month, date, text) in [
            (2024, 2, 29, "2024-02-29"),
            (2024, 3, 1, "2024-03-01"),
            (2025, 1, 1, "2025-01-01"),
            (2025, 12, 31, "2025-12-31"),
            (2000, 2, 29, "2000-02-29"),
            (1900, 3, 1, "1900-03-01"),
        ] {
            assert_eq!(iso(day(year, month, date)), text);
            assert_eq!(parse(text), Some(day(year, month, date)));
        }
        assert_eq!(parse("2026-10-31T08:00:00Z"), Some(day(2026, 10, 31)));
        for text in [
            "",
            "2026-10",
            "yesterday!",
            "2026-13-01",
            "0000-01-01",
            "٢٠٢٦-10-31",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(utc(1_793_000_000_000), "2026-10-26T07:33:20Z");
        assert_eq!(ms("2026-10-26T07:33:20Z"), Some(1_793_000_000_000));
        assert_eq!(ms("1970-01-02"), Some(86_400_000));
        assert_eq!((ms("1969-12-31"), ms("2026-10-26Tlate:00")), (None, None));
        assert_eq!(day(2026, 10, 31) - day(2025, 1, 1), 668);
    }
}
