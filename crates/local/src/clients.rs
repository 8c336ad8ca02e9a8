//! How clients reach the server of this process: its URL, and the program that serves the same over
//! stdio. What they are given for it is `mcpfn_settings::ClientAccess`.

use std::path::Path;

use mcpfn_core::Server;
use mcpfn_settings::{ClientAccess, Setting, StdioProgram, stdio_environment};

use crate::listen::BoundAddress;
use crate::settings::Settings;

/// How URLs of the server begin.
pub(crate) fn scheme(settings: &Settings) -> &'static str {
    if settings.tls.is_some() {
        "https"
    } else {
        "http"
    }
}

/// What clients are told of a server that listens at `address`. `env_file` is what `--env-file` named,
/// and `program` are the settings of the program itself.
pub(crate) fn access(
    server: &Server,
    settings: &Settings,
    address: &BoundAddress,
    env_file: Option<&Path>,
    program: &[Setting],
) -> ClientAccess {
    let credentials = &settings.common.credentials;
    let url = match &credentials.public_url {
        Some(url) => url.clone(),
        None => address.url(scheme(settings), &format!("{}/mcp", settings.base_path)),
    };
    let access = ClientAccess::new(server.name())
        .at(url)
        .started_by(program_of(server, env_file, program));
    settings.common.methods.tell(access)
}

/// This program with its settings: without those it would serve something else.
fn program_of(server: &Server, env_file: Option<&Path>, program: &[Setting]) -> StdioProgram {
    let command = std::env::current_exe().map_or_else(
        |_| server.name().to_owned(),
        |path| path.display().to_string(),
    );
    let mut args = vec!["--stdio".to_owned()];
    if let Some(file) = env_file {
        // clients start programs anywhere
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        args.extend(["--env-file".to_owned(), file.display().to_string()]);
    }
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    StdioProgram {
        command,
        args,
        env: stdio_environment(variables, program),
    }
}
