//! Days as numbers and as ISO 8601 text. No clock and no time zones: the shop's own today is fixed.

/// The day on which the shop was photographed: 2026-10-31. Nothing in it is later.
pub(super) const TODAY: u64 = day(2026, 10, 31);

/// Days since 0000-03-01 in the Gregorian calendar, from a date that exists.
pub(super) const fn day(year: u64, month: u64, day_of_month: u64) -> u64 {
    // years that begin in March end with the leap day, so no month needs to know about it
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day_of_month - 1
}

/// The date of a day, as `2026-10-31`.
pub(super) fn iso(day_number: u64) -> String {
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
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    format!("{year:04}-{month:02}-{day_of_month:02}")
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
        }
        assert_eq!(day(2026, 10, 31) - day(2025, 1, 1), 668);
    }
}
