//! Toolkits that ask other services, through a server, the client that hosts have, and services on
//! loopback that answer as the real ones are documented to, and as they fail.

mod company; // enrichment
mod cost; // in time, of a call of each tool
mod failures; // of every service, and what models and logs are told
mod fetch; // pages, and every way to somewhere private
mod github; // reads, writes, budgets
mod host; // a server in memory; everything it says is searched for planted secrets
mod hostile; // servers behind this one, as fixtures
mod internet; // names that lead to services on loopback
mod older; // results that stand in while a service is down
mod plain; // http, where no credential may leave
mod schemas; // what is published about each tool
mod service; // a service on loopback that also fails
mod stored; // keys that the host keeps elsewhere
mod upstream; // other MCP servers, and every way in which they fail
mod upstream_properties; // of every text of theirs, and of many callers
mod weather; // and the failures that all APIs share
mod web; // search and scrape
