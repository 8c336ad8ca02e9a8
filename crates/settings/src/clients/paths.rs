//! Where clients keep their configuration, on each system. As their documentation says.

use super::entry::ClientFile;

const fn everywhere(path: &'static str) -> ClientFile {
    ClientFile { system: "", path }
}

const fn on(system: &'static str, path: &'static str) -> ClientFile {
    ClientFile { system, path }
}

pub(super) const CLAUDE_PROJECT: &[ClientFile] = &[everywhere(".mcp.json")];

pub(super) const CLAUDE_DESKTOP: &[ClientFile] = &[
    on(
        "macOS",
        "~/Library/Application Support/Claude/claude_desktop_config.json",
    ),
    on("Windows", r"%APPDATA%\Claude\claude_desktop_config.json"),
    on("Linux", "~/.config/Claude/claude_desktop_config.json"),
];

pub(super) const CURSOR: &[ClientFile] = &[
    on("macOS and Linux", "~/.cursor/mcp.json"),
    on("Windows", r"%USERPROFILE%\.cursor\mcp.json"),
    on("one project", ".cursor/mcp.json"),
];

pub(super) const VS_CODE: &[ClientFile] = &[
    on("one project", ".vscode/mcp.json"),
    on("macOS", "~/Library/Application Support/Code/User/mcp.json"),
    on("Windows", r"%APPDATA%\Code\User\mcp.json"),
    on("Linux", "~/.config/Code/User/mcp.json"),
];

pub(super) const WINDSURF: &[ClientFile] = &[
    on("macOS and Linux", "~/.codeium/windsurf/mcp_config.json"),
    on(
        "Windows",
        r"%USERPROFILE%\.codeium\windsurf\mcp_config.json",
    ),
];

pub(super) const ZED: &[ClientFile] = &[
    on("macOS and Linux", "~/.config/zed/settings.json"),
    on("Windows", r"%APPDATA%\Zed\settings.json"),
];

pub(super) const CLINE: &[ClientFile] = &[
    on(
        "macOS",
        "~/Library/Application Support/Code/User/globalStorage/saoudrizwan.claude-dev/settings/\
         cline_mcp_settings.json",
    ),
    on(
        "Windows",
        r"%APPDATA%\Code\User\globalStorage\saoudrizwan.claude-dev\settings\cline_mcp_settings.json",
    ),
    on(
        "Linux",
        "~/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
    ),
];
