//! Durations as authors write them: `"250ms"`, `"5s"`, `"2m"`. Not a general format: whole numbers, one unit.

/// The number of milliseconds, or a sentence saying what is wrong.
pub(crate) fn milliseconds(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => {
            return Err(format!("`{text}` is no duration: write a whole number and a unit, such as \"250ms\", \"5s\" or \"2m\""));
        }
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(scale)) {
        Some(0) => Err("a timeout of zero ends every call: leave it out for the default".to_owned()),
        Some(milliseconds) => Ok(milliseconds),
        None => Err(format!("`{text}` is no duration: the number is missing or too large")),
    }
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn the_units() {
        assert_eq!(milliseconds("250ms"), Ok(250));
        assert_eq!(milliseconds("5s"), Ok(5_000));
        assert_eq!(milliseconds("2m"), Ok(120_000));
    }

    #[test]
    fn what_is_refused() {
        for text in ["", "5", "s", "5 s", "5S", "1h", "-5s", "1.5s", "5sec", "٣s", "0ms", "18446744073709551615m", "99999999999999999999s"]
        {
            assert!(milliseconds(text).is_err(), "{text}");
        }
    }
}
