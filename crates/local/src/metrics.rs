//! `/metrics` in Prometheus' text format: calls, faults and durations of each tool, prompt and
//! resource since the start. Quantiles are there ready to read; for more than one process, compute
//! them from the buckets.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use mcpfn_core::port::{AuditEntry, EventDelivery};

/// Upper bounds of the buckets, in milliseconds.
const BOUNDS: [u64; 14] = [
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
];
const QUANTILES: [(f64, &str); 3] = [(0.5, "0.5"), (0.95, "0.95"), (0.99, "0.99")];

/// Calls, counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct PrometheusMetrics(Arc<Mutex<MetricCounts>>);

#[derive(Debug, Clone, Default)]
struct MetricCounts {
    calls: BTreeMap<SeriesKey, Series>,
    /// By event and outcome.
    deliveries: BTreeMap<(String, &'static str), u64>,
}

/// Registered names only, so there are as many as the server has.
type SeriesKey = (String, String);

#[derive(Debug, Clone, Default)]
struct Series {
    outcomes: BTreeMap<&'static str, u64>,
    /// Those of which the server is to blame, whatever their outcome.
    faults: u64,
    kept: BTreeMap<&'static str, u64>,
    /// Calls by the first bound that their duration does not pass; the last one for all beyond.
    buckets: [u64; BOUNDS.len() + 1],
    sum_ms: u64,
}

impl Series {
    /// Where a quantile lies, by linear interpolation inside its bucket; in seconds.
    fn quantile(&self, quantile: f64) -> f64 {
        let total: u64 = self.buckets.iter().sum();
        let rank = quantile * total as f64;
        let (mut below, mut low) = (0_u64, 0.0);
        for (position, count) in self.buckets.iter().enumerate() {
            let Some(high) = BOUNDS.get(position).map(|bound| *bound as f64) else {
                break;
            };
            if (below + count) as f64 >= rank && *count > 0 {
                return (low + (high - low) * (rank - below as f64) / *count as f64) / 1000.0;
            }
            (below, low) = (below + count, high);
        }
        low / 1000.0
    }
}

impl PrometheusMetrics {
    /// Counts a call.
    pub(crate) fn count(&self, call: &AuditEntry<'_>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let series = all
            .calls
            .entry((call.method.to_owned(), call.name.to_owned()))
            .or_default();
        *series.outcomes.entry(call.outcome.as_str()).or_default() += 1;
        series.faults += u64::from(call.is_fault());
        *series.kept.entry(call.cache.as_str()).or_default() += 1;
        series.buckets[BOUNDS.partition_point(|bound| *bound < call.duration_ms)] += 1;
        series.sum_ms += call.duration_ms;
    }

    /// Counts an attempt to send an event.
    pub(crate) fn count_delivery(&self, delivery: &EventDelivery<'_>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (delivery.event.to_owned(), delivery.outcome.as_str());
        *all.deliveries.entry(key).or_default() += 1;
    }

    /// The document.
    pub(crate) fn text(&self) -> String {
        let all = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut text = String::new();
        // a `String` takes everything
        let _ = write_all(&mut text, &all.calls);
        let _ = write_deliveries(&mut text, &all.deliveries);
        text
    }
}

fn write_all(text: &mut String, all: &BTreeMap<SeriesKey, Series>) -> std::fmt::Result {
    write_outcomes(text, all)?;
    write_faults(text, all)?;
    write_cache(text, all)?;
    write_durations(text, all)?;
    write_quantiles(text, all)
}

fn write_deliveries(
    text: &mut String,
    all: &BTreeMap<(String, &'static str), u64>,
) -> std::fmt::Result {
    text.push_str(
        "# HELP mcpfn_event_deliveries_total Attempts to send events to subscribers.\n# TYPE \
        mcpfn_event_deliveries_total counter\n",
    );
    for ((event, outcome), count) in all {
        writeln!(
            text,
            "mcpfn_event_deliveries_total{{event=\"{}\",outcome=\"{outcome}\"}} {count}",
            escaped(event)
        )?;
    }
    Ok(())
}

fn write_outcomes(text: &mut String, all: &BTreeMap<SeriesKey, Series>) -> std::fmt::Result {
    text.push_str(
        "# HELP mcpfn_calls_total Calls by their outcome.\n# TYPE mcpfn_calls_total counter\n",
    );
    for ((method, name), series) in all {
        for (outcome, count) in &series.outcomes {
            writeln!(
                text,
                "mcpfn_calls_total{{method=\"{method}\",name=\"{}\",outcome=\"{outcome}\"}} \
                 {count}",
                escaped(name)
            )?;
        }
    }
    Ok(())
}

fn write_faults(text: &mut String, all: &BTreeMap<SeriesKey, Series>) -> std::fmt::Result {
    text.push_str(
        "# HELP mcpfn_faults_total Calls that failed by a fault of the server.\n# TYPE \
        mcpfn_faults_total counter\n",
    );
    for ((method, name), series) in all {
        writeln!(
            text,
            "mcpfn_faults_total{{method=\"{method}\",name=\"{}\"}} {}",
            escaped(name),
            series.faults
        )?;
    }
    Ok(())
}

fn write_cache(text: &mut String, all: &BTreeMap<SeriesKey, Series>) -> std::fmt::Result {
    text.push_str(
        "# HELP mcpfn_cache_total Calls by what a cached result did for them.\n# TYPE \
        mcpfn_cache_total counter\n",
    );
    for ((method, name), series) in all {
        for (kept, count) in &series.kept {
            writeln!(
                text,
                "mcpfn_cache_total{{method=\"{method}\",name=\"{}\",cache=\"{kept}\"}} {count}",
                escaped(name)
            )?;
        }
    }
    Ok(())
}

fn write_durations(text: &mut String, all: &BTreeMap<SeriesKey, Series>) -> std::fmt::Result {
    text.push_str(
        "# HELP mcpfn_call_duration_seconds Durations of calls.\n# TYPE \
        mcpfn_call_duration_seconds histogram\n",
    );
    for ((method, name), series) in all {
        let labels = format!("method=\"{method}\",name=\"{}\"", escaped(name));
        let mut total = 0;
        for (count, bound) in series.buckets.iter().zip(BOUNDS) {
            total += count;
            writeln!(
                text,
                "mcpfn_call_duration_seconds_bucket{{{labels},le=\"{}\"}} {total}",
                bound as f64 / 1000.0
            )?;
        }
        total += series.buckets[BOUNDS.len()];
        writeln!(
            text,
            "mcpfn_call_duration_seconds_bucket{{{labels},le=\"+Inf\"}} {total}"
        )?;
        writeln!(
            text,
            "mcpfn_call_duration_seconds_sum{{{labels}}} {}",
            series.sum_ms as f64 / 1000.0
        )?;
        writeln!(
            text,
            "mcpfn_call_duration_seconds_count{{{labels}}} {total}"
        )?;
    }
    Ok(())
}

fn write_quantiles(text: &mut String, all: &BTreeMap<SeriesKey, Series>) -> std::fmt::Result {
    text.push_str(
        "# HELP mcpfn_call_duration_quantile_seconds Estimated quantiles of durations \
        since the start.\n# TYPE mcpfn_call_duration_quantile_seconds gauge\n",
    );
    for ((method, name), series) in all {
        for (quantile, written) in QUANTILES {
            let value = series.quantile(quantile);
            writeln!(
                text,
                "mcpfn_call_duration_quantile_seconds{{method=\"{method}\",name=\"{}\",quantile=\"{written}\"}} \
                 {value}",
                escaped(name)
            )?;
        }
    }
    Ok(())
}

/// A label's value as the format wants it.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_inside_their_buckets() {
        let mut series = Series::default();
        series.buckets[3] = 90; // 5 to 10 ms
        series.buckets[6] = 10; // 50 to 100 ms
        assert!((0.005..=0.010).contains(&series.quantile(0.5)));
        assert!((0.050..=0.100).contains(&series.quantile(0.95)));
        assert!(series.quantile(0.99) > series.quantile(0.95));
        let mut slow = Series::default();
        slow.buckets[BOUNDS.len()] = 1;
        assert_eq!(
            slow.quantile(0.5),
            30.0,
            "beyond the last bound nothing more is known"
        );
    }

    #[test]
    fn names_are_escaped() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
