//! What the server prints once it listens: its address, what it serves, and how clients find it.

use std::path::PathBuf;

use mcpfn_core::{Revision, Server};
use mcpfn_settings::{ClientAccess, ClientEntry, Setting, warn_of_tools};

use crate::clients;
use crate::listen::BoundAddress;
use crate::settings::Settings;
use crate::stdout::say;

/// The clients whose configuration stands in the greeting; the command `clients` has all.
const GREETED: [&str; 5] = [
    "Claude Code",
    "Claude Desktop",
    "Cursor",
    "VS Code",
    "MCP Inspector",
];

pub(crate) struct Greeting {
    pub(crate) server: Server,
    pub(crate) settings: Settings,
    pub(crate) key_is_new: bool,
    /// What `--env-file` named.
    pub(crate) env_file: Option<PathBuf>,
    /// The settings of the program itself.
    pub(crate) program: &'static [Setting],
}

impl Greeting {
    /// Says where the server is now, and what may be wrong with it.
    pub(crate) fn started(&self, address: &BoundAddress) {
        self.print(address);
        warn_of_tools(&self.server);
        if let Some(warning) = self.settings.warning() {
            tracing::warn!(event = "callers_not_told_apart", "{warning}");
        }
    }

    fn print(&self, address: &BoundAddress) {
        let server = &self.server;
        let (tools, resources, prompts) = server.counts();
        let names: Vec<&str> = server.tool_summaries().map(|(name, _)| name).collect();
        let revisions: Vec<&str> = Revision::ALL
            .iter()
            .rev()
            .map(|revision| revision.as_str())
            .collect();
        let base = self.settings.base_path.as_str();
        let scheme = clients::scheme(&self.settings);
        let url = address.url(scheme, &format!("{base}/mcp"));
        let health = address.url(scheme, &format!("{base}/health"));
        let mut text = format!(
            "{} {}\nlistening on {url}\nhealth at {health}\nserving {tools} tools, \
             {resources} resources, {prompts} prompts: {}\nspeaking MCP {}\n",
            server.name(),
            server.version(),
            names.join(", "),
            revisions.join(", "),
        );
        if let Some(file) = &self.env_file {
            text.push_str(&format!(
                "variables that are not set come from {}\n",
                file.display()
            ));
        }
        // at a socket file there is a proxy that clients call: its URL is the public one
        let public = &self.settings.common.credentials.public_url;
        if matches!(address, BoundAddress::Tcp(_)) || public.is_some() {
            let entries = self.access(address).entries();
            let greeted = entries
                .iter()
                .filter(|entry| GREETED.contains(&entry.client));
            greeted.for_each(|entry| text.push_str(&paragraph(entry)));
            text.push_str("\nThe command `clients` prints this for more clients.\n");
        }
        if self.key_is_new {
            text.push_str(
                "\nRequest state is sealed with a key made at this start; set \
                MCPFN_STATE_KEY to keep it over a restart.\n",
            );
        }
        text.push_str("Stop with Ctrl-C.\n");
        say(&text);
    }

    /// The configuration of every client, for the command `clients`.
    pub(crate) fn clients(&self) -> String {
        let address = self.settings.listen.reached_from_here();
        let entries = self.access(&address).entries();
        entries.iter().map(paragraph).collect()
    }

    fn access(&self, address: &BoundAddress) -> ClientAccess {
        clients::access(
            &self.server,
            &self.settings,
            address,
            self.env_file.as_deref(),
            self.program,
        )
    }
}

fn paragraph(entry: &ClientEntry) -> String {
    format!("\n{entry}\n")
}
