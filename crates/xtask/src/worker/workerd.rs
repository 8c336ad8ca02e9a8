//! Workers in workerd, the runtime of Cloudflare, without anything in front: one process, each
//! service on a port of its own.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
};

use super::values::{
    BROKER, EVENTS, IDEMPOTENCY, TASKS, bound, classes, d1, objects as namespace, once, queues,
    tasks,
};
use crate::{
    context::Context,
    fixture::Fixture,
    report::{Result, While},
    setup::WorkerTools,
};

/// The test target that asks running Workers. Some of its tests need what only wrangler brings, and
/// are asked under it.
pub(crate) const TESTS: &str = "worker";

/// The date of wrangler.toml, so that the tests run with the behaviour that is deployed.
const COMPATIBILITY: &str = r#"compatibilityDate = "2026-10-01", compatibilityFlags = ["enable_request_signal", "global_fetch_strictly_public"]"#;
const MODULES: &str = r#"modules = [(name = "index.js", esModule = embed "index.js"), (name = "index_bg.wasm", wasm = embed "index_bg.wasm")]"#;

/// Bindings that workerd has none of: their classes are modules of these tests.
const EXTENSIONS: &str = r#"  extensions = [(modules = [
    (name = "test:limiter", internal = true, esModule = embed "limiter.js"),
    (name = "test:points", internal = true, esModule = embed "points.js"),
  ])],
"#;
const MODULES_OF_EXTENSIONS: [(&str, &str); 2] = [
    (
        "limiter.js",
        include_str!("../../../../tests/worker/limiter.js"),
    ),
    (
        "points.js",
        include_str!("../../../../tests/worker/points.js"),
    ),
];

/// What Workers reach by `fetch`: this machine, and nothing beyond it.
const NETWORK: &str = "    (name = \"machine\", network = (allow = [\"local\"])),\n";

/// One Worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service<'a> {
    pub(crate) name: &'a str,
    pub(crate) what: What<'a>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum What<'a> {
    /// What was built, with these variables; `{port}` in them stands for its port, `{port of NAME}`
    /// for that of another service.
    Built(&'a [(&'a str, &'a str)]),
    /// The same, with the Durable Objects of a service, itself or another one, bound as `IDEMPOTENCY`.
    Keeping {
        variables: &'a [(&'a str, &'a str)],
        objects_of: &'a str,
    },
    /// The same, with the objects of tasks beside them, bound as `TASKS`.
    Running {
        variables: &'a [(&'a str, &'a str)],
        objects_of: &'a str,
    },
    /// The same, with the objects of events of a service bound as `EVENTS`, and where a queue is given,
    /// its broker as `EVENT_QUEUE` and `EVENT_DEAD`, and what `fetch` reaches.
    Evented {
        variables: &'a [(&'a str, &'a str)],
        objects_of: &'a str,
        queue: Option<(&'a str, &'a str)>,
    },
    /// A script around what was built, whose class `McpfnEvents` is that of its Durable Objects.
    AroundEvents { text: &'a str },
    /// A script that is the queue of a service, with a time that runs so many times as fast.
    Broker {
        text: &'a str,
        consumer: &'a str,
        speed: &'a str,
    },
    /// The same, whose `fetch` reaches a service and nothing else.
    Fetching {
        variables: &'a [(&'a str, &'a str)],
        from: &'a str,
    },
    /// The same, with a D1 database bound as `DB`, for which a service answers.
    Asking {
        variables: &'a [(&'a str, &'a str)],
        database: &'a str,
    },
    /// The same, with other bindings: the name of each, and its value in workerd's language.
    Bound {
        variables: &'a [(&'a str, &'a str)],
        bindings: &'a [(&'a str, &'a str)],
    },
    /// The same, with texts out of files in the folder: the names of variables are those of the
    /// files.
    Given { files: &'a [&'a str] },
    /// A script around what was built, whose class `McpfnIdempotency` is that of its Durable Objects.
    Around { text: &'a str },
    /// A script, which may ask another service, as `SERVICE`.
    Script {
        text: &'a str,
        service: Option<&'a str>,
    },
}

/// A running workerd; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Workerd {
    pub(crate) process: Fixture,
    /// The port of each service, in the order in which they were given.
    pub(crate) ports: Vec<u16>,
}

/// Serves what worker-build left in `folder`. The last service must be called `everything`: that it
/// listens means that all do.
pub(crate) fn serve(
    cx: &Context,
    tools: &WorkerTools,
    folder: &Path,
    services: &[Service<'_>],
) -> Result<Workerd> {
    let ports = free_ports(services.len())?;
    let mut workerd = Command::new(tools.workerd()?);
    workerd
        .current_dir(&cx.root)
        .args(["serve", "--experimental", "--control-fd=1"])
        .arg(configure(folder, services, &ports)?);
    Ok(Workerd {
        process: Fixture::start_command(&mut workerd)?,
        ports,
    })
}

/// Writes the configuration, and what it embeds, beside what worker-build left in `folder`; gives
/// its file.
pub(crate) fn configure(folder: &Path, services: &[Service<'_>], ports: &[u16]) -> Result<PathBuf> {
    let disk = folder.join("objects");
    if disk.exists() {
        fs::remove_dir_all(&disk).while_doing(format_args!("empty {}", disk.display()))?;
    }
    fs::create_dir_all(&disk).while_doing(format_args!("create {}", disk.display()))?;
    for service in services {
        if let What::Script { text, .. }
        | What::Around { text }
        | What::AroundEvents { text }
        | What::Broker { text, .. } = service.what
        {
            let file = folder.join(format!("{}.mjs", service.name));
            fs::write(&file, text).while_doing(format_args!("write {}", file.display()))?;
        }
    }
    for (name, text) in MODULES_OF_EXTENSIONS {
        let file = folder.join(name);
        fs::write(&file, text).while_doing(format_args!("write {}", file.display()))?;
    }
    let file = folder.join("workerd.capnp");
    fs::write(&file, configuration(services, ports, &disk))
        .while_doing(format_args!("write {}", file.display()))?;
    Ok(file)
}

/// All are held until all are found, so that none is found twice.
pub(super) fn free_ports(count: usize) -> Result<Vec<u16>> {
    let listen = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).while_doing("find a free port");
    let held: Vec<TcpListener> = (0..count).map(listen).collect::<Result<_>>()?;
    held.iter()
        .map(|listener| {
            Ok(listener
                .local_addr()
                .while_doing("find a free port")?
                .port())
        })
        .collect()
}

fn configuration(services: &[Service<'_>], ports: &[u16], disk: &Path) -> String {
    let mut workers =
        format!("    (name = \"disk\", disk = (path = {disk:?}, writable = true)),\n");
    let mut sockets = String::new();
    for (service, port) in services.iter().zip(ports) {
        let name = service.name;
        let variables = |list: &[(&str, &str)]| variables(list, *port, services, ports);
        workers += &worker(service, variables);
        sockets += &format!(
            "    (name = {name:?}, address = \"127.0.0.1:{port}\", http = (), service = \
             {name:?}),\n"
        );
    }
    format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\n\nconst config :Workerd.Config = (\n  \
         services = [\n{NETWORK}{workers}  ],\n  sockets = [\n{sockets}  ],\n{EXTENSIONS});\n"
    )
}

/// Bindings of variables, with the ports in their texts.
fn variables(list: &[(&str, &str)], port: u16, services: &[Service<'_>], ports: &[u16]) -> String {
    let binding = |(name, text): &(&str, &str)| {
        let text = text.replace("{port}", &port.to_string());
        let others = services.iter().zip(ports);
        let text = others.fold(text, |text, (other, port)| {
            text.replace(&format!("{{port of {}}}", other.name), &port.to_string())
        });
        format!("(name = {name:?}, text = {text:?}), ")
    };
    list.iter().map(binding).collect()
}

fn worker(service: &Service<'_>, text: impl Fn(&[(&str, &str)]) -> String) -> String {
    let name = service.name;
    let (mut objects, mut outbound) = (String::new(), "machine");
    let mut compatibility = COMPATIBILITY.to_owned();
    let mut modules = MODULES.to_owned();
    let bindings = match service.what {
        What::Built(variables) => text(variables),
        What::Fetching { variables, from } => {
            outbound = from;
            text(variables)
        }
        What::Keeping {
            variables,
            objects_of,
        } => {
            if name == objects_of {
                objects = classes(name, &[IDEMPOTENCY]);
            }
            text(variables) + &once(objects_of)
        }
        What::Running {
            variables,
            objects_of,
        } => {
            if name == objects_of {
                objects = classes(name, &[IDEMPOTENCY, TASKS]);
            }
            text(variables) + &once(objects_of) + ", " + &tasks(objects_of)
        }
        What::Evented {
            variables,
            objects_of,
            queue,
        } => {
            if name == objects_of {
                objects = classes(name, &[EVENTS]);
            }
            let mut bindings = text(variables) + &namespace("EVENTS", "McpfnEvents", objects_of);
            if let Some((broker, reached)) = queue {
                outbound = reached;
                bindings += &queues(broker);
            }
            bindings
        }
        What::Broker {
            consumer, speed, ..
        } => {
            objects = classes(name, &[BROKER]);
            modules = format!("{}]", script(name));
            // its calls of the handler of another service are an experiment of workerd
            compatibility = compatibility.replace(
                "compatibilityFlags = [",
                "compatibilityFlags = [\"service_binding_extra_handlers\", ",
            );
            format!(
                "(name = \"CONSUMER\", service = {consumer:?}), (name = \"SPEED\", text = \
                 {speed:?}), {}",
                namespace("BROKER", "Broker", name)
            )
        }
        What::Asking {
            variables,
            database,
        } => text(variables) + &d1(database),
        What::Bound {
            variables,
            bindings,
        } => text(variables) + &bound(bindings),
        What::Given { files } => files
            .iter()
            .map(|file| format!("(name = {file:?}, text = embed {file:?}), "))
            .collect(),
        What::Around { .. } => {
            objects = classes(name, &[IDEMPOTENCY]);
            modules = modules.replace("modules = [", &format!("{}, ", script(name)));
            once(name)
        }
        What::AroundEvents { .. } => {
            objects = classes(name, &[EVENTS]);
            modules = modules.replace("modules = [", &format!("{}, ", script(name)));
            String::new()
        }
        What::Script { service, .. } => {
            modules = format!("{}]", script(name));
            service
                .map(|service| format!("(name = \"SERVICE\", service = {service:?})"))
                .unwrap_or_default()
        }
    };
    format!(
        "    (name = {name:?}, worker = ({modules}, {compatibility}, globalOutbound = \
         {outbound:?}, {objects}bindings = [{bindings}])),\n"
    )
}

/// The list of modules, begun with a service's own script.
fn script(name: &str) -> String {
    format!("modules = [(name = \"script.mjs\", esModule = embed \"{name}.mjs\")")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_belong_to_one_service_and_are_bound_to_others() {
        let keeping = |name| Service {
            name,
            what: What::Keeping {
                variables: &[("MCPFN_AUTH", "none")],
                objects_of: "one",
            },
        };
        let text = configuration(
            &[keeping("one"), keeping("everything")],
            &[4001, 4002],
            Path::new("/disk"),
        );
        assert_eq!(
            text.matches("durableObjectNamespaces = ").count(),
            1,
            "{text}"
        );
        assert_eq!(
            text.matches(r#"(className = "McpfnIdempotency", serviceName = "one")"#)
                .count(),
            2,
            "{text}"
        );
    }

    #[test]
    fn each_service_has_its_variables_and_its_port() {
        let services = [
            Service {
                name: "wrong",
                what: What::Built(&[]),
            },
            Service {
                name: "everything",
                what: What::Built(&[
                    ("MCPFN_AUTH", "none"),
                    ("QUOTED", "a\"{port}"),
                    ("OTHER", "{port of wrong}"),
                ]),
            },
        ];
        let text = configuration(&services, &[4001, 4002], Path::new("/disk"));
        assert!(
            text.contains(r#"(name = "OTHER", text = "4001")"#),
            "{text}"
        );
        assert!(text.contains(r#"bindings = [(name = "MCPFN_AUTH", text = "none"), (name = "QUOTED", text = "a\"4002"), "#), "{text}");
        assert!(
            text.contains(
                r#"(name = "wrong", address = "127.0.0.1:4001", http = (), service = "wrong")"#
            ),
            "{text}"
        );
    }
}
