//! A project on this machine: its manifest, template.yaml and wrangler.toml against each other.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::finding::Report;

/// Date from which on the hosts of this release behave as they were tested.
const COMPATIBILITY: &str = "2026-10-01";

/// Classes of Durable Objects, each with the feature that exports it, and the code of its lack.
const CLASSES: [(&str, &str, &str); 2] = [
    ("McpfnIdempotency", "idempotency", "idempotency-feature"),
    ("McpfnTasks", "tasks", "tasks-feature"),
];

pub(crate) fn check(folder: &Path, report: &mut Report) {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    examine(
        read("Cargo.toml").as_deref(),
        read("template.yaml").as_deref(),
        read("wrangler.toml").as_deref(),
        report,
    );
    if folder.join(".env").exists() {
        let ignored = read(".gitignore").unwrap_or_default();
        if !ignored
            .lines()
            .any(|line| matches!(line.trim(), ".env" | "/.env" | ".env*"))
        {
            report.error(
                "env-tracked",
                ".env is not in .gitignore",
                "add the line .env: it has secrets in it",
            );
        }
    }
}

fn examine(
    manifest: Option<&str>,
    template: Option<&str>,
    wrangler: Option<&str>,
    report: &mut Report,
) {
    let Some(manifest) = manifest else {
        report.error(
            "no-manifest",
            "there is no Cargo.toml",
            "name the folder of a project, or make one with `cargo mcpfn new NAME`",
        );
        return;
    };
    let Ok(manifest) = manifest.parse::<Table>() else {
        report.error(
            "manifest",
            "Cargo.toml can't be read",
            "run `cargo check`, which says why",
        );
        return;
    };
    let Some(dependency) = manifest
        .get("dependencies")
        .and_then(|all| all.get("mcpfn"))
    else {
        report.error(
            "no-dependency",
            "Cargo.toml does not depend on mcpfn",
            "add mcpfn to [dependencies]; `cargo mcpfn new` shows how",
        );
        return;
    };
    let features = features_of(dependency);
    release(dependency, report);
    if let Some(template) = template {
        lambda(&manifest, &features, template, report);
    }
    if let Some(wrangler) = wrangler {
        workers(&manifest, &features, wrangler, report);
    }
}

fn features_of(dependency: &Value) -> Vec<String> {
    let list = dependency.get("features").and_then(Value::as_array);
    let names = list.into_iter().flatten().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

fn release(dependency: &Value, report: &mut Report) {
    let tag = dependency.get("tag").and_then(Value::as_str);
    let ours = concat!("v", env!("CARGO_PKG_VERSION"));
    if let Some(tag) = tag.filter(|tag| *tag != ours) {
        report.warning(
            "release",
            format!("the project uses mcpfn {tag}, and this is cargo mcpfn {ours}"),
            "install the cargo mcpfn of the same release, or raise the tag and read the changelog",
        );
    }
}

fn lambda(manifest: &Table, features: &[String], template: &str, report: &mut Report) {
    let has = |name: &str| features.iter().any(|feature| feature == name);
    if !["lambda", "dynamodb", "secrets"]
        .iter()
        .any(|name| has(name))
    {
        report.error(
            "lambda-feature",
            "template.yaml deploys to AWS Lambda, and mcpfn has no feature for it",
            "add features = [\"lambda\"] to mcpfn, or \"dynamodb\" with the table",
        );
    } else if template.contains("MCPFN_DYNAMODB_TABLE") && !has("dynamodb") {
        report.error(
            "dynamodb-feature",
            "template.yaml sets MCPFN_DYNAMODB_TABLE, and mcpfn has no feature dynamodb",
            "add \"dynamodb\" to the features of mcpfn, or take the table out",
        );
    }
    let references = ["ssm:/", "secretsmanager:arn"];
    let refers = template.lines().any(|line| {
        let value = line
            .split_once(": ")
            .map(|(_, value)| value)
            .unwrap_or_default();
        references
            .iter()
            .any(|start| value.trim_matches('"').starts_with(start))
    });
    if refers && !has("secrets") {
        report.error(
            "secrets-feature",
            "template.yaml refers to a secret, and mcpfn has no feature secrets",
            "add \"secrets\" to the features of mcpfn",
        );
    }
    let streams = template.contains("InvokeMode: RESPONSE_STREAM");
    if streams != template.contains("MCPFN_LAMBDA_MODE: stream") {
        report.error(
            "invoke-mode",
            "InvokeMode and MCPFN_LAMBDA_MODE of template.yaml say different things",
            "set InvokeMode: RESPONSE_STREAM and MCPFN_LAMBDA_MODE: stream, or neither",
        );
    }
    if !template.contains("MCPFN_AUTH") {
        report.error(
            "lambda-auth",
            "template.yaml does not set MCPFN_AUTH, without which nothing is served",
            "set MCPFN_AUTH: iam, or another method",
        );
    }
    panics(manifest, report);
}

/// What a panic costs.
fn panics(manifest: &Table, report: &mut Report) {
    let build = manifest
        .get("package")
        .and_then(|package| package.get("metadata")?.get("lambda")?.get("build"));
    let kept = build.and_then(|build| build.get("disable_optimizations"));
    if kept.and_then(Value::as_bool) != Some(true) {
        report.warning(
            "lambda-panic",
            "cargo lambda builds with panic = \"abort\"",
            "set disable_optimizations = true in [package.metadata.lambda.build]: a panic then costs \
             one answer, and not the environment",
        );
    }
}

fn workers(manifest: &Table, features: &[String], wrangler: &str, report: &mut Report) {
    let kinds = manifest
        .get("lib")
        .and_then(|library| library.get("crate-type"))
        .and_then(Value::as_array);
    if !kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind.as_str() == Some("cdylib"))) {
        report.error(
            "worker-library",
            "wrangler.toml deploys a Worker, and Cargo.toml has no library for it",
            "add [lib] with crate-type = [\"cdylib\"], and src/lib.rs; `cargo mcpfn new` shows both",
        );
    }
    let Ok(settings) = wrangler.parse::<Table>() else {
        report.error(
            "wrangler",
            "wrangler.toml can't be read",
            "run `wrangler check`, which says why",
        );
        return;
    };
    let text = |name: &str| {
        settings
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if text("compatibility_date") < COMPATIBILITY {
        report.warning(
            "worker-date",
            format!("compatibility_date is before {COMPATIBILITY}"),
            "raise it: this release was tested with that date",
        );
    }
    let flags = settings
        .get("compatibility_flags")
        .and_then(Value::as_array);
    let flag = "enable_request_signal";
    if !flags.is_some_and(|flags| flags.iter().any(|one| one.as_str() == Some(flag))) {
        report.warning(
            "worker-hangup",
            format!("compatibility_flags has no {flag}"),
            "add it: calls whose clients went away otherwise run on",
        );
    }
    worker_variables(&settings, report);
    for (class, feature, code) in CLASSES {
        if wrangler.contains(class) && !features.iter().any(|name| name == feature) {
            report.error(
                code,
                format!("wrangler.toml binds {class}, and mcpfn has no feature {feature}"),
                &format!("add \"{feature}\" to the features of mcpfn, or take the binding out"),
            );
        }
    }
}

fn worker_variables(settings: &Table, report: &mut Report) {
    let auth = settings.get("vars").and_then(|vars| vars.get("MCPFN_AUTH"));
    if auth.is_none() {
        report.error(
            "worker-auth",
            "wrangler.toml does not set MCPFN_AUTH, without which nothing is served",
            "set MCPFN_AUTH = \"api-key\" in [vars], or another method",
        );
    }
    let vars = settings.get("vars").and_then(Value::as_table);
    let secrets = ["MCPFN_API_KEYS", "MCPFN_STATE_KEY"];
    let shown = |name: &str| {
        secrets.contains(&name) || name.ends_with("_API_KEY") || name.ends_with("_TOKEN")
    };
    for (name, _) in vars.into_iter().flatten().filter(|(name, _)| shown(name)) {
        report.error(
            "worker-secret",
            format!("{name} stands in [vars] of wrangler.toml"),
            "take it out, change it, and set it with `wrangler secret put`: files are read by others",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"a\"\n[package.metadata.lambda.build]\n\
        disable_optimizations = true\n[lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\n\
        mcpfn = { git = \"x\", features = [\"dynamodb\", \"secrets\"] }\n";
    const TEMPLATE: &str = "InvokeMode: RESPONSE_STREAM\nMCPFN_LAMBDA_MODE: stream\n\
        MCPFN_AUTH: iam\nMCPFN_DYNAMODB_TABLE: !Ref Table\nAPI_KEY: ssm:/a\n";
    const WRANGLER: &str = "compatibility_date = \"2026-10-01\"\n\
        compatibility_flags = [\"enable_request_signal\"]\n[vars]\nMCPFN_AUTH = \"api-key\"\n";

    fn codes(manifest: &str, template: &str, wrangler: &str) -> Vec<&'static str> {
        let mut report = Report::default();
        examine(Some(manifest), Some(template), Some(wrangler), &mut report);
        report.findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_sound_project_has_no_fault() {
        assert_eq!(codes(MANIFEST, TEMPLATE, WRANGLER), [""; 0]);
    }

    #[test]
    fn each_fault_is_found_by_its_name() {
        let manifests = [
            ("[\"dynamodb\", \"secrets\"]", "[]", "lambda-feature"),
            ("\"dynamodb\"", "\"lambda\"", "dynamodb-feature"),
            (", \"secrets\"", "", "secrets-feature"),
            ("cdylib", "rlib", "worker-library"),
            ("disable_optimizations = true", "x = 1", "lambda-panic"),
            ("git = \"x\"", "tag = \"v9.9.9\"", "release"),
            ("mcpfn = ", "other = ", "no-dependency"),
            ("[package]", "[package", "manifest"),
        ];
        for (from, to, code) in manifests {
            let manifest = MANIFEST.replacen(from, to, 1);
            assert!(
                codes(&manifest, TEMPLATE, WRANGLER).contains(&code),
                "{code}"
            );
        }
        let templates = [
            ("InvokeMode: RESPONSE_STREAM", "", "invoke-mode"),
            ("MCPFN_AUTH: iam", "", "lambda-auth"),
        ];
        for (from, to, code) in templates {
            let template = TEMPLATE.replacen(from, to, 1);
            assert_eq!(codes(MANIFEST, &template, WRANGLER), [code]);
        }
        let wranglers = [
            ("2026-10-01", "2025-01-01", "worker-date"),
            ("enable_request_signal", "other", "worker-hangup"),
            ("MCPFN_AUTH = \"api-key\"", "", "worker-auth"),
            ("[vars]", "[vars]\nMCPFN_API_KEYS = \"x\"", "worker-secret"),
            (
                "[vars]",
                "x = \"McpfnIdempotency\"\n[vars]",
                "idempotency-feature",
            ),
            ("[vars]", "x = \"McpfnTasks\"\n[vars]", "tasks-feature"),
            ("[vars]", "[vars", "wrangler"),
        ];
        for (from, to, code) in wranglers {
            let wrangler = WRANGLER.replacen(from, to, 1);
            assert_eq!(codes(MANIFEST, TEMPLATE, &wrangler), [code]);
        }
    }
}
