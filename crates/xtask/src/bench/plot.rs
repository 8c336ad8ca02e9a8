//! Draws the charts of a part: `bench/results/PART.json` has them under `charts`, and `PART.svg` is
//! the drawing. A chart is `{"title", "unit", "log", "bars": [{"label", "value"}, ..]}`; it needs
//! to know no part. Colours follow the reader's light or dark theme.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::context::Context;
use crate::report::{Error, Result, While};

const WIDTH: f64 = 760.0;
/// Where bars begin, and how long the longest is; the rest is for its value.
const LEFT: f64 = 250.0;
const LONGEST: f64 = 380.0;
const ROW: f64 = 24.0;
const TITLE: f64 = 34.0;
const GAP: f64 = 14.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.t{font-weight:600;font-size:14px}.b{fill:#0969da}.o{fill:#8c959f}\
                     .g{stroke:#8c959f;stroke-opacity:.35}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.b{fill:#4493f8}.o{fill:#6e7681}}";

/// Of a part that has charts; others are left alone.
pub(super) fn draw(cx: &Context, part: &str) -> Result<()> {
    let folder = cx.root.join("bench/results");
    let source = folder.join(format!("{part}.json"));
    let text =
        fs::read_to_string(&source).while_doing(format_args!("read {}", source.display()))?;
    let results: Value = serde_json::from_str(&text)
        .map_err(|error| Error::new(format!("{} is no JSON: {error}", source.display())))?;
    let Some(charts) = results["charts"].as_array() else {
        return Ok(());
    };
    let file = folder.join(format!("{part}.svg"));
    fs::write(&file, svg(charts)?).while_doing(format_args!("write {}", file.display()))?;
    println!("drawn: bench/results/{part}.svg");
    Ok(())
}

fn svg(charts: &[Value]) -> Result<String> {
    let (mut body, mut y) = (String::new(), GAP);
    for chart in charts {
        y = one(&mut body, chart, y)
            .ok_or_else(|| Error::new(format!("this is no chart: {chart}")))?;
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{y}\" viewBox=\"0 0 \
         {WIDTH} {y}\"><style>{STYLE}</style>\n{body}</svg>\n"
    ))
}

/// Draws one chart from `y` down and gives the place of the next one.
fn one(out: &mut String, chart: &Value, mut y: f64) -> Option<f64> {
    let unit = chart["unit"].as_str()?;
    let bars: Vec<(&str, f64)> = chart["bars"]
        .as_array()?
        .iter()
        .map(|bar| Some((bar["label"].as_str()?, bar["value"].as_f64()?)))
        .collect::<Option<_>>()?;
    let scale = Scale::of(&bars, chart["log"].as_bool()?);
    let kind = if scale.log.is_some() {
        ", logarithmic"
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "<text class=\"t\" x=\"8\" y=\"{}\">{} ({}{kind})</text>",
        y + 16.0,
        escaped(chart["title"].as_str()?),
        escaped(unit)
    );
    y += TITLE;
    let bottom = y + ROW * bars.len() as f64;
    for tick in scale.ticks() {
        let _ = writeln!(
            out,
            "<line class=\"g\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{1}\" y2=\"{2}\"/>",
            LEFT + tick,
            y - 4.0,
            bottom
        );
    }
    for (label, value) in bars {
        let length = scale.length(value);
        // what this project made stands out
        let class = if label.contains("mcpfn") { 'b' } else { 'o' };
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><rect class=\"{class}\" x=\"{LEFT}\" y=\"{}\" width=\"{length:.1}\" height=\"{}\" rx=\"2\"/>\
             <text x=\"{:.1}\" y=\"{}\">{}</text>",
            LEFT - 8.0,
            y + 14.0,
            escaped(label),
            y + 2.0,
            ROW - 8.0,
            LEFT + length + 6.0,
            y + 14.0,
            figure(value),
        );
        y += ROW;
    }
    Some(bottom + GAP)
}

/// From values to lengths.
struct Scale {
    /// The powers of ten at both ends, where lengths grow with the logarithm.
    log: Option<(f64, f64)>,
    largest: f64,
}

impl Scale {
    /// Logarithms need values above zero; without them the scale is linear.
    fn of(bars: &[(&str, f64)], log: bool) -> Self {
        let values = || bars.iter().map(|(_, value)| *value);
        let (smallest, largest) = (
            values().fold(f64::INFINITY, f64::min),
            values().fold(0.0, f64::max),
        );
        // a third of a decade below the smallest, so that its bar can be seen
        let log = (log && smallest > 0.0 && smallest.is_finite())
            .then(|| (smallest.log10() - 0.3, largest.log10()));
        Self { log, largest }
    }

    fn length(&self, value: f64) -> f64 {
        let share = match self.log {
            Some((low, high)) => (value.log10() - low) / (high - low),
            None if self.largest > 0.0 => value / self.largest,
            None => 0.0,
        };
        share * LONGEST
    }

    /// The powers of ten in between.
    fn ticks(&self) -> Vec<f64> {
        let Some((low, high)) = self.log else {
            return Vec::new();
        };
        (low.ceil() as i32..=(high + 1e-9).floor() as i32)
            .map(|power| self.length(10_f64.powi(power)))
            .collect()
    }
}

fn figure(value: f64) -> String {
    let digits = if value >= 100.0 { 0 } else { 2 };
    let text = format!("{value:.digits$}");
    if digits == 0 {
        text
    } else {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lengths_follow_values_or_their_logarithms() {
        let bars = [("a", 10.0), ("b", 1000.0)];
        let linear = Scale::of(&bars, false);
        assert!((linear.length(10.0) - LONGEST / 100.0).abs() < 1e-9);
        assert!((linear.length(1000.0) - LONGEST).abs() < 1e-9);
        let log = Scale::of(&bars, true);
        assert!((log.length(1000.0) - LONGEST).abs() < 1e-9);
        let decade = log.length(100.0) - log.length(10.0);
        assert!((log.length(1000.0) - log.length(100.0) - decade).abs() < 1e-9);
        assert_eq!(log.ticks().len(), 3);
        assert_eq!(Scale::of(&[("a", 0.0)], true).length(0.0), 0.0);
    }

    #[test]
    fn a_chart_has_a_bar_for_each_value_and_escapes_words() {
        let chart = json!({"title": "a < b", "unit": "ms", "log": true, "bars": [{"label": "mcpfn & co", "value": 1.5}, {"label": "x", "value": 250}]});
        let svg = svg(&[chart]).unwrap();
        assert_eq!(svg.matches("<rect").count(), 2);
        for part in [
            "a &lt; b (ms, logarithmic)",
            "mcpfn &amp; co",
            ">1.5</text>",
            ">250</text>",
            "class=\"b\"",
            "class=\"o\"",
        ] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
    }

    #[test]
    fn what_is_no_chart_is_shown() {
        assert!(
            svg(&[json!({"title": "x"})])
                .unwrap_err()
                .to_string()
                .contains("no chart")
        );
    }
}
