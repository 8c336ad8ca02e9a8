//! `measure http|scale|workers CONTESTANTS [--quick]`: what `cargo xtask bench` runs for these
//! parts. CONTESTANTS is a JSON array; see `contestant`. Results go to `bench/results`.

mod contestant;
mod http;
mod load;
mod open;
mod order;
mod processor;
mod request;
mod rounds;
mod scale;
mod schedule;
mod workers;

use std::path::Path;

use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (part, quick, contestants) = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [part, contestants] => (*part, false, *contestants),
        [part, contestants, "--quick"] => (*part, true, *contestants),
        _ => panic!(
            "arguments: `http`, `scale` or `workers`, a JSON array of contestants, and \
            maybe `--quick`"
        ),
    };
    let contestants = contestant::parse(contestants);
    let (markdown, json) = match part {
        "http" => http::run(&contestants, quick).await,
        "scale" => scale::run(&contestants, quick).await,
        "workers" => workers::run(&contestants, quick).await,
        other => panic!("there is no part `{other}` here"),
    };
    print!("\n{markdown}");
    write(part, &markdown, &json);
}

fn write(part: &str, markdown: &str, json: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results");
    let file = |ending| folder.join(format!("{part}.{ending}"));
    std::fs::write(file("md"), markdown)
        .and_then(|()| std::fs::write(file("json"), format!("{json:#}\n")))
        .expect("bench/results can be written");
}

/// The value at a share of the values, between 0 and 1; 0 of none.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile_of_sorted(&values, share)
}

/// The same of many values that were sorted once.
fn quantile_of_sorted(values: &[f64], share: f64) -> f64 {
    let position = (values.len().saturating_sub(1) as f64 * share).round() as usize;
    values.get(position).copied().unwrap_or_default()
}

/// Rounded to a number of decimals, for JSON.
fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        assert_eq!(quantile(vec![3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(vec![3.0, 1.0, 2.0], 1.0), 3.0);
        assert_eq!(quantile(Vec::new(), 0.5), 0.0);
        let thousand: Vec<f64> = (0..=1_000).map(f64::from).collect();
        assert_eq!(quantile(thousand, 0.999), 999.0);
    }

    #[test]
    fn figures_have_so_many_decimals() {
        assert_eq!([rounded(1.26, 1), rounded(1.26, 0)], [1.3, 1.0]);
    }
}
