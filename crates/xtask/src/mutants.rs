//! The command `mutants`: code that decides who may do what, changed in small ways, each of which
//! some test has to notice. Hours of work, so no part of `test`.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result, While},
    setup,
};

/// Of a hundred mutants that compile, so many are to be caught.
const AIM: u64 = 95;

/// Mutants that nobody could notice, as expressions for their names, and why.
const EQUIVALENT: [(&str, &str); 6] = [
    (
        "<impl fmt::Debug for .*>::fmt",
        "one that writes nothing shows no secret; programmers alone read it",
    ),
    (
        r"replace Scopes::none -> Self with Default::default\(\)",
        "it is what stands there",
    ),
    (
        r"policy/address\.rs.* replace > with >= in make_room",
        "a bucket that is full at this very moment is as good as none, kept or forgotten",
    ),
    (
        r"introspection\.rs.* replace < with <= in Introspection::keep",
        "a verdict that ends at this very moment is kept or forgotten, and not given either way",
    ),
    (
        r"<impl Visitor<'de> for Members>::expecting",
        "a text of serde's errors, which are dropped because they repeat what was read",
    ),
    (
        r"replace default -> Option<Arc<dyn Signatures>> with Some\(",
        "no program where it is compiled at all, which is without ring",
    ),
];

/// Code that belongs together, and what guards it.
struct Group {
    name: &'static str,
    package: &'static str,
    files: &'static [&'static str],
    features: &'static [&'static str],
    /// Each is asked about the mutants that those before it let live: the cheap ones first.
    rounds: &'static [Round],
}

/// Tests that are built and run together.
enum Round {
    /// Of the group's own package, beside the code.
    Unit,
    /// All of other packages.
    Packages(&'static [&'static str]),
}

const GROUPS: [Group; 4] = [
    Group {
        name: "auth",
        package: "mcpfn-auth",
        files: &["crates/auth/src/**/*.rs"],
        features: &["mcpfn-auth/ring"],
        rounds: &[Round::Unit, Round::Packages(&["mcpfn-auth-tests"])],
    },
    Group {
        name: "policies",
        package: "mcpfn-core",
        files: &[
            "crates/core/src/policy.rs",
            "crates/core/src/policy/**/*.rs",
            "crates/core/src/principal.rs",
            "crates/core/src/scope.rs",
        ],
        features: &[],
        rounds: &[
            Round::Unit,
            Round::Packages(&["mcpfn-core", "mcpfn-it"]),
            Round::Packages(&["mcpfn-store-tests"]),
        ],
    },
    Group {
        name: "guard",
        package: "mcpfn-http",
        files: &[
            "crates/http/src/auth.rs",
            "crates/http/src/cors.rs",
            "crates/http/src/guard.rs",
        ],
        features: &[],
        rounds: &[Round::Unit, Round::Packages(&["mcpfn-http", "mcpfn-it"])],
    },
    Group {
        name: "events",
        package: "mcpfn-lambda",
        files: &["crates/lambda/src/event.rs", "crates/lambda/src/event/*.rs"],
        // without it a part of this code is not compiled, and all its mutants live
        features: &["mcpfn-lambda/tower"],
        rounds: &[Round::Unit],
    },
];

impl Group {
    fn command(&self, cx: &Context, program: &Path, output: &Path, round: &Round) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&cx.root)
            .args([
                "mutants",
                "--colors",
                "never",
                "--no-shuffle",
                "--jobs",
                "1",
            ])
            .args(["--minimum-test-timeout", "60", "--package", self.package])
            .arg("--output")
            .arg(output)
            // without what only debuggers read, a mutant is built in half the time
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            // a mutant that few examples catch is caught; more cost more than they find
            .env("PROPTEST_CASES", "24");
        for file in self.files {
            command.args(["--file", file]);
        }
        for (expression, _) in EQUIVALENT {
            command.args(["--exclude-re", expression]);
        }
        for feature in self.features {
            command.args(["--features", feature]);
        }
        match round {
            Round::Unit => {
                command.args(["--test-package", self.package, "--cargo-arg=--lib"]);
            }
            Round::Packages(packages) => {
                for package in *packages {
                    command.args(["--test-package", package]);
                }
            }
        }
        command
    }

    /// Every round, about what is still alive.
    fn ask(
        &self,
        cx: &Context,
        program: &Path,
        output: &Path,
        shard: Option<&str>,
    ) -> Result<Score> {
        let mut score: Option<Score> = None;
        for round in self.rounds {
            let mut command = self.command(cx, program, output, round);
            if let Some(score) = &score {
                if score.missed.is_empty() {
                    break;
                }
                for name in &score.missed {
                    command.args(["--re", &exactly(name)]);
                }
            } else if let Some(shard) = shard {
                // a part is a sample of all of them
                command.args(["--sharding", "round-robin", "--shard", shard]);
            }
            let found = Self::score(command, output)?;
            score = Some(match score {
                None => found,
                Some(before) => Score {
                    caught: before.caught + found.caught,
                    missed: found.missed,
                    ..before
                },
            });
        }
        score.ok_or_else(|| Error::new(format!("nothing guards the group `{}`", self.name)))
    }

    fn score(mut command: Command, output: &Path) -> Result<Score> {
        // rules about the layout of files say nothing about what code does
        command.args(["--", "--", "--skip", "tidy"]);
        // it fails when a mutant survives; what survived is read below
        let failed = process::run(&mut command).err();
        let path = output.join("mutants.out/outcomes.json");
        let text = fs::read_to_string(&path).while_doing(format_args!("read {}", path.display()));
        match text {
            Ok(text) => Score::read(&text),
            Err(error) => Err(failed.unwrap_or(error)),
        }
    }
}

/// An expression that only this name fits.
fn exactly(name: &str) -> String {
    let mut expression = String::from("^");
    for character in name.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(character) {
            expression.push('\\');
        }
        expression.push(character);
    }
    expression.push('$');
    expression
}

/// What to run of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    group: Option<String>,
    shard: Option<String>,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let place = match argument.as_str() {
                "--group" => &mut options.group,
                "--shard" => &mut options.shard,
                other => {
                    return Err(Error::new(format!(
                        "`mutants` takes `--group NAME` and `--shard K/N`, not `{other}`"
                    )));
                }
            };
            *place = Some(arguments.next().cloned().ok_or_else(|| {
                Error::new(format!(
                    "`{argument}` is followed by nothing; see `cargo xtask help`"
                ))
            })?);
        }
        if let Some(group) = &options.group
            && !GROUPS.iter().any(|known| known.name == group)
        {
            return Err(Error::new(format!(
                "there is no group `{group}`; there are auth, policies, guard and events"
            )));
        }
        Ok(options)
    }
}

pub(crate) fn run(cx: &Context, options: &Options, counts: &mut Counts) -> Result<()> {
    let program = setup::cargo_mutants(cx)?;
    let mut survivors = Vec::new();
    let (mut caught, mut all) = (0, 0);
    for group in &GROUPS {
        if options
            .group
            .as_deref()
            .is_some_and(|name| name != group.name)
        {
            continue;
        }
        let output = cx.root.join("target/mutants").join(group.name);
        fs::create_dir_all(&output).while_doing(format_args!("make {}", output.display()))?;
        let score = group.ask(cx, &program, &output, options.shard.as_deref())?;
        println!("{:<10} {score}", group.name);
        caught += score.caught;
        all += score.caught + score.missed.len() as u64;
        survivors.extend(score.missed);
    }
    for survivor in &survivors {
        println!("survived: {survivor}");
    }
    counts.passed += caught;
    counts.failed += survivors.len() as u64;
    if all == 0 || caught * 100 < all * AIM {
        return Err(Error::new(format!(
            "{caught} of {all} mutants were caught, and {AIM} of 100 are to be: write a test for \
             what a survivor changed"
        )));
    }
    Ok(())
}

/// How the mutants of a group ended.
#[derive(Debug, PartialEq, Eq)]
struct Score {
    /// Noticed by a failing test, or by one that did not end in its time.
    caught: u64,
    missed: Vec<String>,
    /// Mutants that do not compile.
    unviable: u64,
}

impl Score {
    fn read(text: &str) -> Result<Self> {
        let unreadable = |why: &str| Error::new(format!("outcomes.json can't be read: {why}"));
        let outcomes: Value =
            serde_json::from_str(text).map_err(|error| unreadable(&error.to_string()))?;
        let outcomes = outcomes["outcomes"]
            .as_array()
            .ok_or_else(|| unreadable("it has no member `outcomes`"))?;
        let mut score = Self {
            caught: 0,
            missed: Vec::new(),
            unviable: 0,
        };
        for outcome in outcomes {
            let Some(mutant) = outcome["scenario"]["Mutant"].as_object() else {
                continue; // the code as it is
            };
            match outcome["summary"].as_str() {
                Some("CaughtMutant" | "Timeout") => score.caught += 1,
                Some("Unviable") => score.unviable += 1,
                Some("MissedMutant") => {
                    let name = mutant.get("name").and_then(Value::as_str);
                    score
                        .missed
                        .push(name.unwrap_or("without a name").to_owned());
                }
                other => return Err(unreadable(&format!("it has the outcome {other:?}"))),
            }
        }
        Ok(score)
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let viable = self.caught + self.missed.len() as u64;
        write!(
            f,
            "{} of {viable} caught, {} not to be compiled",
            self.caught, self.unviable
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_counted_by_kind() {
        let mutant = |name: &str, summary: &str| {
            format!(r#"{{"scenario": {{"Mutant": {{"name": "{name}"}}}}, "summary": "{summary}"}}"#)
        };
        let text = format!(
            r#"{{"outcomes": [{{"scenario": "Baseline", "summary": "Success"}}, {}, {}, {}, {}]}}"#,
            mutant("a", "CaughtMutant"),
            mutant("b", "MissedMutant"),
            mutant("c", "Timeout"),
            mutant("d", "Unviable"),
        );
        let score = Score::read(&text).unwrap();
        assert_eq!(score.to_string(), "2 of 3 caught, 1 not to be compiled");
        assert_eq!(score.missed, ["b"]);
        let unknown = format!(r#"{{"outcomes": [{}]}}"#, mutant("a", "Success"));
        assert!(Score::read(&unknown).is_err());
    }

    #[test]
    fn a_name_is_no_expression() {
        let name = "src/a.rs:1:2: replace a -> Option<b> with Some(\"[xyzzy]\") in c::d";
        assert_eq!(
            exactly(name),
            r#"^src/a\.rs:1:2: replace a \-> Option<b> with Some\("\[xyzzy\]"\) in c::d$"#
        );
    }

    #[test]
    fn options_are_known_ones() {
        let of = |words: &[&str]| {
            Options::parse(
                &words
                    .iter()
                    .map(|&word| word.to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(of(&[]).unwrap(), Options::default());
        let options = of(&["--group", "auth", "--shard", "0/4"]).unwrap();
        assert_eq!(options.shard.as_deref(), Some("0/4"));
        assert!(of(&["--group", "moon"]).is_err());
        assert!(of(&["--group"]).is_err());
        assert!(of(&["auth"]).is_err());
    }
}
