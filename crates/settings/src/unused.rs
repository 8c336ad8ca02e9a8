//! Variables that are set and have no effect: whoever set one believes that it has one. The
//! environment is walked once, at the start.

use mcpfn_core::text;

use crate::methods::AuthMethods;
use crate::reader::{EnvReader, listed};
use crate::setting::{Hosts, Setting, is_name};
use crate::table::SETTINGS;

/// Read by tests and by the commands of this project's repository, which pass their environment on.
const FOREIGN: [&str; 2] = ["MCPFN_TEST_", "MCPFN_TOOLS"];

impl EnvReader<'_> {
    /// Reports each variable whose name begins with `MCPFN_` and that `host` does not read.
    /// `program` are the settings of the program itself. Without `methods` (`MCPFN_AUTH` is missing or
    /// wrong, perhaps by a slip in its name) those of every method count as read.
    pub(crate) fn refuse_unused(
        &mut self,
        host: Hosts,
        methods: Option<&AuthMethods>,
        program: &'static [Setting],
    ) {
        for name in self.take_names() {
            let ours = name.starts_with("MCPFN_")
                && !FOREIGN.iter().any(|prefix| name.starts_with(prefix));
            if ours
                && self.is_set(&name)
                && let Some(sentence) = mistake(&name, host, methods, program)
                    .or_else(|| self.of_nothing(&name, host, program))
                    .or_else(|| self.kept_elsewhere(&name, host, program))
            {
                self.mistake(sentence);
            }
        }
    }

    /// What is wrong with a variable that says where a secret is, on a host that reads it nowhere
    /// else.
    fn kept_elsewhere(&self, name: &str, host: Hosts, program: &[Setting]) -> Option<String> {
        let mut settings = SETTINGS.iter().chain(program);
        let secret = settings.any(|setting| setting.secret && setting.is(name));
        let elsewhere = secret
            && !host.meets(Hosts::LAMBDA)
            && self
                .untold(name)
                .is_some_and(|text| text::is_secret_reference(&text));
        elsewhere.then(|| {
            format!(
                "{name} refers to a secret that AWS keeps, which is read on AWS Lambda only: set it \
                 to the secret itself"
            )
        })
    }

    /// What is wrong with a variable that is about something which another one does not list.
    fn of_nothing(&self, name: &str, host: Hosts, program: &[Setting]) -> Option<String> {
        let mut settings = program.iter().filter(|setting| setting.hosts.meets(host));
        let (given, setting) = settings.find_map(|setting| {
            let given = setting.name_in(name)?;
            (!setting.listed_in.is_empty()).then_some((given, setting))
        })?;
        let listed = self.names_of(setting.listed_in);
        if listed.iter().any(|listed| listed == given) {
            return None;
        }
        let list = setting.listed_in;
        let near = text::nearest(given, listed.iter().map(String::as_str));
        Some(
            match near.map(|near| setting.name.replace("<NAME>", near)) {
                Some(near) => {
                    format!("{name} is about nothing that {list} names: did you mean {near}?")
                }
                None => format!(
                    "{name} is about nothing that {list} names: add {}=.. there, or remove {name}",
                    given.to_ascii_lowercase().replace('_', "-")
                ),
            },
        )
    }

    /// The names in a list of `name=..`, as variables have them.
    fn names_of(&self, list: &str) -> Vec<String> {
        let text = self.untold(list).unwrap_or_default();
        listed(&text)
            .iter()
            .filter_map(|entry| entry.split_once('='))
            .map(|(name, _)| name.trim().to_ascii_uppercase().replace('-', "_"))
            // what is no name may be a part of a secret
            .filter(|name| is_name(name))
            .collect()
    }
}

fn mistake(
    name: &str,
    host: Hosts,
    methods: Option<&AuthMethods>,
    program: &'static [Setting],
) -> Option<String> {
    let all = || SETTINGS.iter().chain(program);
    let mut elsewhere: Option<Hosts> = None;
    for setting in all().filter(|setting| setting.is(name)) {
        if setting.hosts.meets(host) {
            let used = setting.auth.is_empty()
                || methods
                    .is_none_or(|methods| setting.auth.iter().any(|word| methods.has_word(word)));
            return (!used).then(|| {
                format!(
                    "{name} is set, but MCPFN_AUTH does not have {}: add it there, or remove {name}",
                    setting.auth.join(" or ")
                )
            });
        }
        elsewhere = Some(elsewhere.map_or(setting.hosts, |hosts| hosts.and(setting.hosts)));
    }
    Some(match elsewhere {
        Some(hosts) => format!("{name} is used on {hosts} only: remove it here"),
        None => {
            let known = all().filter(|setting| setting.hosts.meets(host));
            let shown = text::quoted(name);
            match near(name, known.map(|setting| setting.name)) {
                Some(known) => {
                    format!("{shown} is no setting of this program: did you mean {known}?")
                }
                None => {
                    format!("{shown} is no setting of this program: remove it, or correct its name")
                }
            }
        }
    })
}

/// A name with a slip in it, or one that has all words of this one and more. The prefix that all
/// have says nothing.
fn near(name: &str, known: impl Iterator<Item = &'static str> + Clone) -> Option<&'static str> {
    let given = name.strip_prefix("MCPFN_")?;
    let known = known.filter_map(|name| name.strip_prefix("MCPFN_").map(|rest| (name, rest)));
    let slip = text::nearest(given, known.clone().map(|(_, rest)| rest));
    let has_all = |candidate: &str| {
        given
            .split('_')
            .all(|word| candidate.split('_').any(|known| known == word))
    };
    known
        .filter(|(_, rest)| slip.map_or_else(|| has_all(rest), |slip| *rest == slip))
        .map(|(name, _)| name)
        .min_by_key(|name| name.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::AuthMethod;

    const PROGRAM: &[Setting] = &[
        Setting::new("MCPFN_TOOLKITS", "", "", ""),
        Setting::new("MCPFN_UPSTREAMS", "", "", ""),
        Setting::new("MCPFN_UPSTREAM_<NAME>_TOKEN", "", "", "")
            .with_names_of("MCPFN_UPSTREAMS")
            .secret(),
        Setting::new("MCPFN_DATA_DIR", "", "", "").on(Hosts::PROCESSES),
    ];

    fn mistakes(host: Hosts, method: AuthMethod, variables: &[(&str, &str)]) -> Vec<String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let names = variables.iter().map(|(name, _)| (*name).to_owned());
        let mut reader = EnvReader::new(&variable).with_names(names);
        reader.refuse_unused(host, Some(&AuthMethods::of([method])), PROGRAM);
        reader
            .finish(())
            .map_or_else(|error| error.mistakes, |()| Vec::new())
    }

    #[test]
    fn what_is_read_or_empty_or_foreign_is_no_mistake() {
        let variables = [
            ("MCPFN_PORT", "1"),
            ("MCPFN_TOOLKITS", "hello"),
            (
                "MCPFN_UPSTREAMS",
                "a=https://a.example, my-crm = https://b.example",
            ),
            ("MCPFN_UPSTREAM_MY_CRM_TOKEN", "x"),
            ("MCPFN_LAMBDA_MODE", " "),
            ("MCPFN_TEST_WORKER", "x"),
            ("MCPFN_TOOLS", "x"),
            ("PATH", "x"),
        ];
        assert_eq!(
            mistakes(Hosts::LOCAL, AuthMethod::None, &variables),
            [""; 0]
        );
    }

    #[test]
    fn what_is_about_nothing_listed_names_the_nearest() {
        let token = "MCPFN_UPSTREAM_MY_CMR_TOKEN";
        for (list, fix) in [
            (
                Some("a=https://a.example,my-crm=https://b.example"),
                "did you mean MCPFN_UPSTREAM_MY_CRM_TOKEN?",
            ),
            (
                Some("a=https://a.example"),
                "add my-cmr=.. there, or remove MCPFN_UPSTREAM_MY_CMR_TOKEN",
            ),
            (
                Some("my-cmr,MY_CMR:hunter2@=https://a.example"),
                "add my-cmr=.. there, or remove MCPFN_UPSTREAM_MY_CMR_TOKEN",
            ),
            (
                None,
                "add my-cmr=.. there, or remove MCPFN_UPSTREAM_MY_CMR_TOKEN",
            ),
        ] {
            let mut variables = vec![(token, "hunter2")];
            variables.extend(list.map(|list| ("MCPFN_UPSTREAMS", list)));
            for host in [Hosts::LOCAL, Hosts::LAMBDA, Hosts::WORKERS] {
                assert_eq!(
                    mistakes(host, AuthMethod::None, &variables),
                    [format!(
                        "{token} is about nothing that MCPFN_UPSTREAMS names: {fix}"
                    )]
                );
            }
        }
    }

    #[test]
    fn where_a_secret_is_can_be_said_on_lambda_alone() {
        let secrets = SETTINGS.iter().chain(PROGRAM).filter(|one| one.secret);
        let mut tried = 0;
        for (setting, host) in secrets.flat_map(|setting| {
            let hosts = [Hosts::LOCAL, Hosts::LAMBDA, Hosts::WORKERS];
            let hosts = hosts.into_iter().filter(|host| setting.hosts.meets(*host));
            hosts.map(move |host| (setting, host))
        }) {
            let name = setting.name.replace("<NAME>", "A");
            let listed = ("MCPFN_UPSTREAMS", "a=https://a.example");
            for place in ["ssm:/hunter2", " secretsmanager:hunter2#member"] {
                let found = mistakes(host, AuthMethod::OAuth, &[listed, (&name, place)]);
                let said = format!("{name} refers to a secret that AWS keeps");
                let refused = found.iter().any(|one| one.starts_with(&said));
                assert_eq!(refused, host != Hosts::LAMBDA, "{name}: {found:?}");
                assert!(!found.concat().contains("hunter2"), "{found:?}");
                tried += 1;
            }
        }
        assert!(tried >= 18, "{tried}");
    }

    #[test]
    fn what_has_no_effect_is_a_mistake_with_its_fix() {
        for (host, name, sentence) in [
            (
                Hosts::LOCAL,
                "MCPFN_LAMBDA_MODE",
                "MCPFN_LAMBDA_MODE is used on AWS Lambda only: remove it here",
            ),
            (
                Hosts::WORKERS,
                "MCPFN_DATA_DIR",
                "MCPFN_DATA_DIR is used on this machine and AWS Lambda only: remove it here",
            ),
            (
                Hosts::WORKERS,
                "MCPFN_API_KEYS_SOURCE",
                "MCPFN_API_KEYS_SOURCE is used on this machine and AWS Lambda only: remove it here",
            ),
            (
                Hosts::LAMBDA,
                "MCPFN_IAM_SCOPES",
                "MCPFN_IAM_SCOPES is set, but MCPFN_AUTH does not have iam or authorizer: add it \
                 there, or remove MCPFN_IAM_SCOPES",
            ),
            (
                Hosts::LOCAL,
                "MCPFN_LOG_FROMAT",
                "`MCPFN_LOG_FROMAT` is no setting of this program: did you mean MCPFN_LOG_FORMAT?",
            ),
            (
                Hosts::LOCAL,
                "MCPFN_IDEMPOTENCY",
                "`MCPFN_IDEMPOTENCY` is no setting of this program: did you mean \
                 MCPFN_IDEMPOTENCY_ON_ERROR?",
            ),
            (
                Hosts::LOCAL,
                "MCPFN_SOMETHING_ELSE",
                "`MCPFN_SOMETHING_ELSE` is no setting of this program: remove it, or correct its \
                 name",
            ),
        ] {
            assert_eq!(mistakes(host, AuthMethod::None, &[(name, "x")]), [sentence]);
        }
        assert_eq!(
            mistakes(Hosts::LAMBDA, AuthMethod::Iam, &[("MCPFN_IAM_SCOPES", "x")]),
            [""; 0]
        );
    }
}
