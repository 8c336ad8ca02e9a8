//! Names of tools and prompts (server/tools, "tool names").

/// Whether a tool or a prompt may have this name: 1 to 128 of the characters `A-Z a-z 0-9 _ - .`.
pub(crate) fn is_name(name: &str) -> bool {
    let legal =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    // models call tools by name, and providers refuse other characters in function names
    !name.is_empty() && name.len() <= 128 && name.chars().all(legal)
}
