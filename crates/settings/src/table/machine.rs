//! Where a process listens, whom it believes there, and how it ends: settings of the local host
//! alone.

use crate::setting::{Hosts, Setting};

pub(super) const MACHINE: &[Setting] = &[
    Setting::new(
        "MCPFN_PORT",
        "N",
        "PORT, or 8787",
        "port to listen on; 0 takes any free one",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_LISTEN",
        "ADDRESS[:PORT]|unix:FILE",
        "127.0.0.1 and [::1]",
        "address to listen on, such as 0.0.0.0 or [::]:8080, or a Unix socket; other than loopback it \
         needs MCPFN_AUTH, and MCPFN_PUBLIC_URL or MCPFN_ALLOWED_HOSTS",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_SOCKET_MODE",
        "MODE",
        "0660",
        "rights of that Unix socket: who may write to it may connect",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_TLS_CERTIFICATE",
        "FILE",
        "none: no TLS",
        "PEM file of the certificate and those between it and its root; read again when it changes, \
         and on SIGHUP",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_TLS_KEY",
        "FILE",
        "",
        "PEM file of its private key; needed with the certificate",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_ALLOWED_HOSTS",
        "HOST,..",
        "that of MCPFN_PUBLIC_URL",
        "names and addresses, without ports, that requests may have in Host beside this machine's \
         own; * is any",
    )
    .of_listening()
    .on(Hosts::LOCAL)
    .with_auth(&["oauth", "api-key"]),
    Setting::new(
        "MCPFN_MAX_CONNECTIONS",
        "NUMBER",
        "1024",
        "connections at the same time, 1 to 1000000; for one more, the one that waited longest for \
         its client is closed",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_MAX_HEAD_BYTES",
        "BYTES",
        "65536",
        "the most bytes of a request's line and headers, 8192 to 1048576",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_WORKER_THREADS",
        "NUMBER",
        "1",
        "threads that answer requests, 1 to 1024",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_METRICS_LISTEN",
        "ADDRESS:PORT",
        "none",
        "another address, which has /metrics, /ready and /health for everybody who can reach it, \
         without TLS",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_IDLE_TIMEOUT_SECONDS",
        "SECONDS",
        "75",
        "how long a connection may wait for the head of its next request, 1 to 3600; longer than a \
         proxy in front keeps its connections",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_DRAIN_DELAY_SECONDS",
        "SECONDS",
        "0; 5 where others can reach the address",
        "how long a server that was told to stop takes new requests while /ready says 503, 0 to 300",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_DRAIN_TIMEOUT_SECONDS",
        "SECONDS",
        "10, or the longest limit of a tool and 1",
        "how long calls may take to end after that, 0 to 3600",
    )
    .of_listening()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_REDIS_URL",
        "redis[s]://[USER:PASSWORD@]HOST",
        "none: each process has its own memory",
        "Redis or Valkey server by which several instances share cached results, rate limits and \
         idempotent writes; /DATABASE may follow, and ?ssl_ca_certs=FILE. With the feature \
         redis-cluster a cluster is redis+cluster://HOST,.. and a master behind sentinels redis+sentinel://HOST,../MASTER",
    )
    .secret()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_REDIS_PREFIX",
        "TEXT",
        "mcpfn:",
        "what the keys there begin with; another one for each server that uses the same database",
    )
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_REDIS_TIMEOUT_MS",
        "MILLISECONDS",
        "1000",
        "how long a question to it may take, retry included; 10 to 10000",
    )
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_POSTGRES_STORE_URL",
        "postgres://USER:PASSWORD@HOST/DATABASE",
        "none",
        "PostgreSQL server for the same, in the place of MCPFN_REDIS_URL; ?sslrootcert=FILE may follow",
    )
    .secret()
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_POSTGRES_STORE_SCHEMA",
        "NAME",
        "mcpfn",
        "where its tables are; another one for each server that uses the same database",
    )
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_POSTGRES_STORE_TIMEOUT_MS",
        "MILLISECONDS",
        "1000",
        "how long a question to it may take, retry included; 10 to 10000",
    )
    .on(Hosts::LOCAL),
    Setting::new(
        "MCPFN_TRUSTED_PROXIES",
        "ADDRESS,..",
        "none",
        "addresses or networks of proxies, such as 127.0.0.1 or 10.0.0.0/8, whose X-Forwarded-For \
         says where a request came from",
    )
    .of_listening()
    .on(Hosts::LOCAL)
    .with_auth(&["oauth", "api-key"]),
    Setting::new(
        "MCPFN_FORWARDED_HEADER",
        "x-forwarded-for|forwarded",
        "x-forwarded-for",
        "the header in which these proxies say it; they must write it themselves",
    )
    .of_listening()
    .on(Hosts::LOCAL)
    .with_auth(&["oauth", "api-key"]),
    Setting::new(
        "MCPFN_PROXY_PROTOCOL",
        "on|off",
        "off",
        "connections of these proxies begin with a PROXY header, version 1 or 2",
    )
    .of_listening()
    .on(Hosts::LOCAL)
    .with_auth(&["oauth", "api-key"]),
];
