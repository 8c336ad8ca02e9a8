//! What a setting is, as data: a name, where it counts, what it means. Not its value.

use std::fmt;

/// Hosts, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hosts(u8);

impl Hosts {
    /// This machine: HTTP on loopback, and stdio.
    pub const LOCAL: Self = Self(1);
    /// AWS Lambda.
    pub const LAMBDA: Self = Self(2);
    /// Cloudflare Workers.
    pub const WORKERS: Self = Self(4);
    /// Those that are processes of an operating system.
    pub const PROCESSES: Self = Self::LOCAL.and(Self::LAMBDA);
    /// Those where a program is deployed.
    pub const DEPLOYED: Self = Self::LAMBDA.and(Self::WORKERS);
    /// Every host.
    pub const ALL: Self = Self::PROCESSES.and(Self::WORKERS);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether they have a host in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = [
            (Self::LOCAL, "this machine"),
            (Self::LAMBDA, "AWS Lambda"),
            (Self::WORKERS, "Cloudflare Workers"),
        ]
        .into_iter()
        .filter(|(host, _)| self.meets(*host))
        .map(|(_, name)| name)
        .collect();
        f.write_str(&names.join(" and "))
    }
}

/// One variable, as one host or several read it. A variable that means something else on another
/// host is another entry of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// The variable. `<NAME>` in it stands for any letters, digits and underscores.
    pub name: &'static str,
    /// What it may be, as `--help` shows it behind the name. Empty on Workers, which show no help;
    /// so are the next two.
    pub values: &'static str,
    /// What holds when it is not set; empty if nothing does.
    pub default: &'static str,
    /// One sentence without a full stop.
    pub about: &'static str,
    /// Where it is read.
    pub hosts: Hosts,
    /// Words of `MCPFN_AUTH` without any of which it has no effect; empty if it always has one.
    pub auth: &'static [&'static str],
    /// The setting that lists what `<NAME>` may stand for, as `name=..,name=..`; empty if nothing does.
    pub listed_in: &'static str,
    /// Whether nobody but the server may know it. On AWS Lambda such a value may be elsewhere: it is
    /// then a reference, see [`mcpfn_core::text::is_secret_reference`].
    pub secret: bool,
    /// Whether it is about how a process listens and ends: nothing to a server that listens nowhere.
    pub listening: bool,
}

impl Setting {
    /// A setting of every host.
    #[must_use]
    pub const fn new(
        name: &'static str,
        values: &'static str,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        // some 3 KB of a Worker after gzip
        let shown = !cfg!(target_arch = "wasm32");
        Self {
            name,
            values: if shown { values } else { "" },
            default: if shown { default } else { "" },
            about: if shown { about } else { "" },
            hosts: Hosts::ALL,
            auth: &[],
            listed_in: "",
            secret: false,
            listening: false,
        }
    }

    /// About how a process listens and ends, which is nothing to a server over stdio or in another
    /// program.
    #[must_use]
    pub const fn of_listening(self) -> Self {
        Self {
            listening: true,
            ..self
        }
    }

    /// Known to nobody but the server.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }

    /// Of these hosts only.
    #[must_use]
    pub const fn on(self, hosts: Hosts) -> Self {
        Self { hosts, ..self }
    }

    /// Without effect unless `MCPFN_AUTH` has one of these words.
    #[must_use]
    pub const fn with_auth(self, auth: &'static [&'static str]) -> Self {
        Self { auth, ..self }
    }

    /// Without effect unless `<NAME>` is a name in this list, `my-crm` there being `MY_CRM` here.
    #[must_use]
    pub const fn with_names_of(self, listed_in: &'static str) -> Self {
        Self { listed_in, ..self }
    }

    /// Whether a variable of this name is this setting.
    #[must_use]
    pub fn is(&self, variable: &str) -> bool {
        self.name == variable || self.name_in(variable).is_some()
    }

    /// What `<NAME>` is in a variable, if it is this setting.
    pub(crate) fn name_in<'a>(&self, variable: &'a str) -> Option<&'a str> {
        let (before, after) = self.name.split_once("<NAME>")?;
        let name = variable.strip_prefix(before)?.strip_suffix(after)?;
        is_name(name).then_some(name)
    }
}

/// The secret whose file a variable names: `MCPFN_STATE_KEY` of `MCPFN_STATE_KEY_FILE`. Each secret of
/// these settings has such a variable on hosts that are processes.
#[must_use]
pub fn secret_in_file<'a, 's>(
    variable: &'a str,
    mut settings: impl Iterator<Item = &'s Setting>,
) -> Option<&'a str> {
    let name = variable.strip_suffix("_FILE")?;
    settings
        .any(|setting| setting.secret && setting.hosts.meets(Hosts::PROCESSES) && setting.is(name))
        .then_some(name)
}

/// Whether a text may stand for `<NAME>`.
pub(crate) fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_a_part_that_is_free() {
        let token = Setting::new("MCPFN_UPSTREAM_<NAME>_TOKEN", "", "", "");
        assert!(token.is("MCPFN_UPSTREAM_CRM_2_TOKEN"));
        for other in [
            "MCPFN_UPSTREAM__TOKEN",
            "MCPFN_UPSTREAM_TOKEN",
            "MCPFN_UPSTREAM_CRM_TOKN",
            "MCPFN_UPSTREAM_c_TOKEN",
        ] {
            assert!(!token.is(other), "{other}");
        }
    }

    #[test]
    fn hosts_are_named() {
        assert_eq!(Hosts::LAMBDA.to_string(), "AWS Lambda");
        assert_eq!(
            Hosts::DEPLOYED.to_string(),
            "AWS Lambda and Cloudflare Workers"
        );
        assert!(Hosts::ALL.meets(Hosts::WORKERS) && !Hosts::PROCESSES.meets(Hosts::WORKERS));
    }
}
