//! What the server prints once it listens: its address, what it serves, and how clients find it.

use std::net::SocketAddr;

use mcpfn_core::{Revision, Server};

use crate::clients;
use crate::stdout::say;

pub(crate) struct Greeting {
    pub(crate) server: Server,
    pub(crate) key_is_new: bool,
}

impl Greeting {
    pub(crate) fn print(&self, address: SocketAddr) {
        let server = &self.server;
        let (tools, resources, prompts) = server.counts();
        let names: Vec<&str> = server.tool_summaries().map(|(name, _)| name).collect();
        let revisions: Vec<&str> = Revision::ALL
            .iter()
            .rev()
            .map(|revision| revision.as_str())
            .collect();
        let url = format!("http://{address}/mcp");
        let command = std::env::current_exe()
            .map(|path| path.display().to_string())
            .unwrap_or_else(|_| server.name().to_owned());
        let mut text = format!(
            "{} {}\nlistening on {url}\nhealth at http://{address}/health\nserving {tools} tools, \
             {resources} resources, {prompts} prompts: {}\nspeaking MCP {}\n",
            server.name(),
            server.version(),
            names.join(", "),
            revisions.join(", "),
        );
        text.push_str(&clients::configuration(server.name(), &url, &command));
        if self.key_is_new {
            text.push_str(
                "\nRequest state is sealed with a key made at this start; set \
                MCPFN_STATE_KEY to keep it over a restart.\n",
            );
        }
        text.push_str("Stop with Ctrl-C.\n");
        say(&text);
    }
}
