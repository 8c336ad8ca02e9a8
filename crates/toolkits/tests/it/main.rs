//! Toolkits through a server, over a real database. Not tests of the protocol (those are in the
//! workspace's `tests`).

mod attacks; // a list of them
mod catalog; // search, products, the prompt
mod confirm; // questions before writes
mod crm; // people, companies, what is written about them
mod crm_report; // its numbers, and a run that is handed over
mod database; // tables, filters
mod databases; // SQLite, or a PostgreSQL server
mod events; // what is heard of between calls
mod handed_over; // an instance that ends in the middle of a task
mod hello; // the greeting, and the toolkits by name
mod instructions; // what models are told first, for each caller
mod inventory; // levels, rates, suggestions, drafts
mod mapped; // other people's tables
mod place; // which server, and names there
mod schemas;
mod scripts; // names in other scripts, cases and spellings
mod shares; // of the database, for each caller
mod shop; // the demo data
mod shown; // what is published about each tool
mod skills; // how models should use the toolkits
mod sql; // SQL that a model wrote, and every attack
mod support; // a server in memory: one call in, one answer out
mod wait;
mod workflow; // block_on
