//! What an operator decides about events that are sent to addresses of clients.

use std::str::FromStr;

use mcpfn_core::policy::{EventErrorCodes, WebhookIdProfile, WebhookSettings};

use crate::reader::EnvReader;

/// A word of a variable.
struct Word<T>(T);

impl FromStr for Word<EventErrorCodes> {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(Self(match text {
            "auto" => EventErrorCodes::Auto,
            "sep-3415" => EventErrorCodes::Sep3415,
            "sketch" => EventErrorCodes::Sketch,
            _ => return Err(()),
        }))
    }
}

impl FromStr for Word<WebhookIdProfile> {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(Self(match text {
            "event" => WebhookIdProfile::Event,
            "message" => WebhookIdProfile::Message,
            _ => return Err(()),
        }))
    }
}

/// `MCPFN_EVENT_ERRORS`, `MCPFN_WEBHOOK_ID` and `MCPFN_WEBHOOK_HOSTS`.
pub(crate) fn webhook_settings(reader: &mut EnvReader<'_>) -> WebhookSettings {
    let codes = Word(EventErrorCodes::Auto);
    let Word(codes) = reader.parsed("MCPFN_EVENT_ERRORS", codes, "auto, sep-3415 or sketch");
    let profile = Word(WebhookIdProfile::Event);
    let Word(profile) = reader.parsed("MCPFN_WEBHOOK_ID", profile, "event or message");
    let hosts = reader.list("MCPFN_WEBHOOK_HOSTS");
    for host in &hosts {
        if host.contains(['/', '@', '*']) {
            reader.mistake(format!(
                "MCPFN_WEBHOOK_HOSTS must be hosts such as hooks.example.com or \
                 hooks.internal:8443, and `{host}` is none"
            ));
        }
    }
    WebhookSettings::default()
        .error_codes(codes)
        .id_profile(profile)
        .trusted_hosts(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &'static [(&str, &str)]) -> Result<WebhookSettings, Vec<String>> {
        let values = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let mut reader = EnvReader::new(&values);
        let settings = webhook_settings(&mut reader);
        reader.finish(settings).map_err(|error| error.mistakes)
    }

    #[test]
    fn what_is_set_counts_and_what_is_wrong_is_said() {
        assert_eq!(read(&[]), Ok(WebhookSettings::default()));
        let set = read(&[
            ("MCPFN_EVENT_ERRORS", "sep-3415"),
            ("MCPFN_WEBHOOK_ID", "message"),
            ("MCPFN_WEBHOOK_HOSTS", "a.example, b.internal:8443"),
        ]);
        let expected = WebhookSettings::default()
            .error_codes(EventErrorCodes::Sep3415)
            .id_profile(WebhookIdProfile::Message)
            .trusted_hosts(["a.example", "b.internal:8443"]);
        assert_eq!(set, Ok(expected));
        let wrong = read(&[
            ("MCPFN_EVENT_ERRORS", "old"),
            ("MCPFN_WEBHOOK_ID", "random"),
            ("MCPFN_WEBHOOK_HOSTS", "https://a.example/x,*"),
        ]);
        assert_eq!(wrong.unwrap_err().len(), 4);
    }
}
