//! What an operator decides about tools: `MCPFN_TIMEOUTS` and `MCPFN_CACHE` for single ones, and
//! `MCPFN_CONFIRM`. Whether there are such tools is known only when the server is built, and said
//! then.

use std::time::Duration;

use mcpfn_core::host::{ToolChange, ToolSetting};
use mcpfn_core::{Builder, ConfirmMode};

use crate::reader::EnvReader;

const TIMEOUTS: &str = "MCPFN_TIMEOUTS";
const CACHE: &str = "MCPFN_CACHE";
const CONFIRM: &str = "MCPFN_CONFIRM";

/// Bounds of a tool's time: less is no time, more is more than any host gives.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Bounds of the time for which results are kept.
const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What the operator decided about tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolSettings {
    by_tool: Vec<ToolSetting>,
    /// The program's own word holds where the operator said nothing.
    confirm: Option<ConfirmMode>,
}

impl ToolSettings {
    pub(crate) fn apply(&self, builder: Builder) -> Builder {
        let builder = builder.tool_settings(self.by_tool.iter().cloned());
        match self.confirm {
            Some(mode) => builder.confirm(mode),
            None => builder,
        }
    }
}

impl EnvReader<'_> {
    /// The three variables, with every mistake in them.
    pub(crate) fn tool_settings(&mut self) -> ToolSettings {
        ToolSettings {
            by_tool: self.settings_by_tool(),
            confirm: self.confirm(),
        }
    }

    fn confirm(&mut self) -> Option<ConfirmMode> {
        let text = self.text(CONFIRM)?.trim().to_ascii_lowercase();
        let mode = text.parse();
        mode.map_err(|()| self.mistake(format!("{CONFIRM} must be auto, always or never")))
            .ok()
    }

    fn settings_by_tool(&mut self) -> Vec<ToolSetting> {
        let mut settings = self.by_tool(TIMEOUTS, "get_weather=3s", |text| {
            duration(text)
                .filter(|time| (SHORTEST..=LONGEST).contains(time))
                .map(ToolChange::Timeout)
                .ok_or("a time from 100ms to 15m, such as 3s")
        });
        settings.extend(self.by_tool(CACHE, "search_products=60s", |text| {
            if text == "off" {
                return Ok(ToolChange::Cache(None));
            }
            duration(text)
                .filter(|time| (LEAST..=MOST).contains(time))
                .map(|time| ToolChange::Cache(Some(time)))
                .ok_or("a time from 1s to 7d, such as 60s, or off")
        }));
        settings
    }

    fn by_tool(
        &mut self,
        name: &str,
        example: &str,
        read: impl Fn(&str) -> Result<ToolChange, &'static str>,
    ) -> Vec<ToolSetting> {
        let text = self.text(name).unwrap_or_default();
        let mut settings: Vec<ToolSetting> = Vec::new();
        let entries = text.split(',').map(str::trim);
        for (number, entry) in (1..).zip(entries.filter(|entry| !entry.is_empty())) {
            let Some((tool, value)) = entry.split_once('=') else {
                self.mistake(format!(
                    "{name}: entry {number} has no `=`: write TOOL=TIME, separated by commas, such \
                     as {example}"
                ));
                continue;
            };
            let tool = tool.trim();
            if settings.iter().any(|setting| setting.tool == tool) {
                let tool = mcpfn_core::text::quoted(tool);
                self.mistake(format!(
                    "{name} names {tool} twice: remove one of the entries"
                ));
                continue;
            }
            match read(value.trim()) {
                Ok(change) => settings.push(ToolSetting {
                    source: name.to_owned(),
                    tool: tool.to_owned(),
                    change,
                }),
                Err(expected) => {
                    let tool = mcpfn_core::text::quoted(tool);
                    self.mistake(format!("{name}: what {tool} has must be {expected}"));
                }
            }
        }
        settings
    }
}

/// A whole number and a unit: `250ms`, `5s`, `2m`, `1h`, `7d`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let milliseconds = number.parse::<u64>().ok()?.checked_mul(scale)?;
    Some(Duration::from_millis(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Vec<ToolSetting>, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| std::ffi::OsString::from(value))
        };
        let mut reader = EnvReader::new(&variable);
        let settings = reader.settings_by_tool();
        reader.finish(settings).map_err(|error| error.to_string())
    }

    fn setting(source: &str, tool: &str, change: ToolChange) -> ToolSetting {
        ToolSetting {
            source: source.to_owned(),
            tool: tool.to_owned(),
            change,
        }
    }

    #[test]
    fn times_by_tool() {
        let minute = Some(Duration::from_secs(60));
        let found = read(&[
            (TIMEOUTS, "get_weather=3s, search = 2m ,"),
            (CACHE, "search_products=60s,get_weather=off"),
        ]);
        let expected = [
            setting(
                TIMEOUTS,
                "get_weather",
                ToolChange::Timeout(Duration::from_secs(3)),
            ),
            setting(
                TIMEOUTS,
                "search",
                ToolChange::Timeout(Duration::from_secs(120)),
            ),
            setting(CACHE, "search_products", ToolChange::Cache(minute)),
            setting(CACHE, "get_weather", ToolChange::Cache(None)),
        ];
        assert_eq!(found.unwrap(), expected);
        assert_eq!(read(&[]).unwrap(), []);
    }

    #[test]
    fn whether_people_are_asked() {
        let read = |text: &str| {
            let variable = |name: &str| (name == CONFIRM).then(|| text.into());
            let mut reader = EnvReader::new(&variable);
            let settings = reader.tool_settings();
            reader
                .finish(settings.confirm)
                .map_err(|error| error.mistakes)
        };
        assert_eq!(read(""), Ok(None));
        assert_eq!(read(" Always "), Ok(Some(ConfirmMode::Always)));
        assert_eq!(read("auto"), Ok(Some(ConfirmMode::Auto)));
        assert_eq!(read("never"), Ok(Some(ConfirmMode::Never)));
        let mistake = "MCPFN_CONFIRM must be auto, always or never".to_owned();
        assert_eq!(read("on"), Err(vec![mistake]));
    }

    #[test]
    fn every_mistake_is_said_at_once_with_its_fix() {
        let mistakes = read(&[
            (
                TIMEOUTS,
                "a, b=3, c=16m, d=99ms, e=off, f=1s, f=2s, =1s=, g=99999999999999999999s",
            ),
            (CACHE, "a=0s, b=8d, c=on, d=60"),
        ])
        .unwrap_err();
        for expected in [
            "MCPFN_TIMEOUTS: entry 1 has no `=`: write TOOL=TIME, separated by commas, such as \
             get_weather=3s",
            "MCPFN_TIMEOUTS: what `b` has must be a time from 100ms to 15m, such as 3s",
            "what `c` has must be a time from 100ms to 15m",
            "what `d` has must be a time from 100ms to 15m",
            "what `e` has must be a time from 100ms to 15m",
            "MCPFN_TIMEOUTS names `f` twice: remove one of the entries",
            "what `g` has must be a time from 100ms to 15m",
            "MCPFN_CACHE: what `a` has must be a time from 1s to 7d, such as 60s, or off",
            "MCPFN_CACHE: what `b` has must be a time from 1s to 7d",
            "MCPFN_CACHE: what `c` has must be a time from 1s to 7d",
            "MCPFN_CACHE: what `d` has must be a time from 1s to 7d",
        ] {
            assert!(mistakes.contains(expected), "{expected}: {mistakes}");
        }
    }
}
