//! Durations and rates as authors write them: `"250ms"`, `"5s"`, `"2m"`, `"1h"`, `"10/m"`. Not a
//! general format: whole numbers, one unit.

/// The number of milliseconds, or a sentence saying what is wrong.
pub(crate) fn milliseconds(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => {
            return Err(format!(
                "`{text}` is not a duration: write a whole number and a unit, such as \"250ms\", \
                 \"5s\", \"2m\" or \"1h\""
            ));
        }
    };
    match number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(scale))
    {
        Some(0) => Err("a time of zero has no meaning here: leave the key out".to_owned()),
        Some(milliseconds) => Ok(milliseconds),
        None => Err(format!(
            "`{text}` is not a duration: the number is missing or too large"
        )),
    }
}

/// Calls, and the milliseconds in which they may happen; or a sentence saying what is wrong.
pub(crate) fn rate(text: &str) -> Result<(u32, u64), String> {
    let wrong = || {
        format!(
            "`{text}` is not a rate: write calls and a time, such as \"10/s\", \"60/m\" or \
             \"5/10s\""
        )
    };
    let (calls, per) = text.split_once('/').ok_or_else(wrong)?;
    let calls = calls
        .parse::<u32>()
        .ok()
        .filter(|calls| *calls > 0)
        .ok_or_else(wrong)?;
    let per = if per.starts_with(|first: char| first.is_ascii_digit()) {
        per.to_owned()
    } else {
        format!("1{per}")
    };
    milliseconds(&per)
        .map(|per| (calls, per))
        .map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::{milliseconds, rate};

    #[test]
    fn the_units() {
        assert_eq!(milliseconds("250ms"), Ok(250));
        assert_eq!(milliseconds("5s"), Ok(5_000));
        assert_eq!(milliseconds("2m"), Ok(120_000));
        assert_eq!(milliseconds("1h"), Ok(3_600_000));
        assert_eq!(rate("10/m"), Ok((10, 60_000)));
        assert_eq!(rate("5/10s"), Ok((5, 10_000)));
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "",
            "5",
            "s",
            "5 s",
            "5S",
            "1d",
            "-5s",
            "1.5s",
            "5sec",
            "٣s",
            "0ms",
            "18446744073709551615m",
            "99999999999999999999s",
        ] {
            assert!(milliseconds(text).is_err(), "{text}");
        }
        for text in [
            "",
            "5",
            "/s",
            "0/s",
            "-1/s",
            "5/",
            "5/0s",
            "5/d",
            "5/s/s",
            "4294967296/s",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
