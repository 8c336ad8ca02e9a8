//! Two stand-ins for DynamoDB: dynoxide, which cargo builds anywhere, and Amazon's own DynamoDB
//! Local, which needs Java and Maven. dynoxide is a program and no dependency, because its SQLite
//! is another version than ours, and one program links one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    cache::{once, remove},
    cargo_install::cargo_install,
};
use crate::{
    context::Context,
    process,
    report::{Error, Result, While},
};

const DYNOXIDE: &str = "3.2.0";
const LOCAL: &str = "3.0.0";
const MAVEN_PLUGIN: &str =
    "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// The first release of Java that runs DynamoDB Local.
const JAVA: u32 = 17;

const POM: &str = r#"<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.mcpfn</groupId>
  <artifactId>dynamodb-local</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>software.amazon.dynamodb</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>VERSION</version>
    </dependency>
  </dependencies>
</project>
"#;

/// The program `dynoxide`.
pub(crate) fn dynoxide(cx: &Context) -> Result<PathBuf> {
    let folder = once(cx, &format!("dynoxide-{DYNOXIDE}"), |folder| {
        println!("building dynoxide {DYNOXIDE}, once; this takes two minutes");
        let features = "native-sqlite,http-server,cli";
        cargo_install(
            cx,
            folder,
            &[&[
                "--locked",
                "--version",
                DYNOXIDE,
                "--no-default-features",
                "--features",
                features,
                "dynoxide-rs",
            ]],
        )
    })?;
    Ok(folder
        .join("bin")
        .join(format!("dynoxide{}", std::env::consts::EXE_SUFFIX)))
}

/// DynamoDB Local, with all jars.
#[derive(Debug)]
pub(crate) struct DynamoDbLocal {
    folder: PathBuf,
}

impl DynamoDbLocal {
    /// Starts it on a port of this machine, with nothing in it.
    pub(crate) fn command(&self, port: u16) -> Command {
        let mut java = Command::new("java");
        java.arg(format!(
            "-Dsqlite4java.library.path={}",
            self.folder.display()
        ));
        java.arg("-cp")
            .arg(self.folder.join("*"))
            .arg("software.amazon.dynamodb.services.local.main.ServerRunner");
        java.args([
            "-inMemory",
            "-sharedDb",
            "-disableTelemetry",
            "-port",
            &port.to_string(),
        ]);
        java
    }

    pub(crate) fn description(&self) -> String {
        format!("DynamoDB Local {LOCAL} in {}", self.folder.display())
    }
}

/// DynamoDB Local, or why it can't be had here.
pub(crate) fn dynamodb_local(cx: &Context) -> std::result::Result<DynamoDbLocal, String> {
    let version = process::read(Command::new("java").arg("--version"))
        .map_err(|_| format!("it needs Java {JAVA}, which was not found"))?;
    match java_release(&version) {
        Some(release) if release >= JAVA => {}
        _ => {
            return Err(format!(
                "it needs Java {JAVA} or newer, and this is {}",
                version.lines().next().unwrap_or("another")
            ));
        }
    }
    let folder = once(cx, &format!("dynamodb-local-{LOCAL}"), fetch);
    let folder = folder.map_err(|error| {
        format!(
            "Maven did not fetch it: {}",
            error
                .to_string()
                .lines()
                .take(3)
                .collect::<Vec<_>>()
                .join(" ")
        )
    })?;
    Ok(DynamoDbLocal {
        folder: folder.join("lib"),
    })
}

fn fetch(folder: &Path) -> Result<()> {
    if process::find("mvn").is_none() {
        return Err(Error::new(
            "`mvn` was not found; install Maven (on Debian: maven)",
        ));
    }
    println!("fetching DynamoDB Local {LOCAL}, once");
    let pom = folder.join("pom.xml");
    fs::write(&pom, POM.replace("VERSION", LOCAL))
        .while_doing(format_args!("write {}", pom.display()))?;
    let repository = folder.join("repository");
    let mut maven = Command::new("mvn");
    maven
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(&pom)
        .arg(MAVEN_PLUGIN);
    maven.arg(format!("-Dmaven.repo.local={}", repository.display()));
    maven.arg(format!(
        "-DoutputDirectory={}",
        folder.join("lib").display()
    ));
    process::read(&mut maven)?;
    remove(&repository)
}

/// Reads `openjdk 17.0.15 2025-04-15`.
fn java_release(version: &str) -> Option<u32> {
    version
        .split_whitespace()
        .nth(1)?
        .split(['.', '-', '+'])
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_of_java_is_its_first_number() {
        assert_eq!(
            java_release("openjdk 17.0.15 2025-04-15\nOpenJDK Runtime Environment"),
            Some(17)
        );
        assert_eq!(java_release("java 25-ea 2025-09-16"), Some(25));
        assert_eq!(java_release("openjdk"), None);
        assert_eq!(java_release(""), None);
    }
}
