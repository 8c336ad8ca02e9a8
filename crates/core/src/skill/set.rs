//! A set of skills that never changes: what is listed of each, its files, its directories. Who may
//! see them is the shelf's business.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use mcpfn_embed::skill::{
    MANIFEST, description_mistake, files_mistakes, media_type, name_mistake, path_mistake,
};
use serde_json::{Value, json};

use super::{SCHEME, Skill, SkillFile};
use crate::jsonrpc::to_json;
use crate::model::JsonObject;
use crate::model::resource::ResourceDefinition;
use crate::scope;

/// Skills as they were at one moment. What is listed and what is read come from the same set, so
/// that digests fit.
#[derive(Default)]
pub struct SkillSet {
    pub(crate) skills: Vec<ServedSkill>,
    files: HashMap<String, ServedFile>,
    /// What is in a directory, by the URIs of both.
    directories: HashMap<String, BTreeMap<String, DirectoryChild>>,
}

/// A skill as it is listed.
pub(crate) struct ServedSkill {
    /// That of its `SKILL.md`.
    pub(crate) uri: String,
    pub(crate) scopes: Vec<String>,
    /// Its entry in `skills/list`.
    pub(crate) entry: Vec<u8>,
    /// The `SKILL.md` among resources.
    pub(crate) manifest: ResourceDefinition,
}

/// A file, and the positions of the skills that it belongs to: of one, and of those around it.
pub(crate) struct ServedFile {
    pub(crate) file: SkillFile,
    pub(crate) mime_type: &'static str,
    /// The skill's directory and the file's path in it.
    pub(crate) path: String,
    pub(crate) skills: Vec<usize>,
}

/// An entry of a directory.
pub(crate) struct DirectoryChild {
    /// As it is listed.
    pub(crate) entry: Vec<u8>,
    /// The skills that show it.
    pub(crate) skills: BTreeSet<usize>,
}

impl ServedSkill {
    /// Its directory.
    fn path(&self) -> &str {
        let path = self.uri.strip_prefix(SCHEME).unwrap_or_default();
        path.strip_suffix(MANIFEST)
            .and_then(|path| path.strip_suffix('/'))
            .unwrap_or_default()
    }
}

/// The path of one directory in another, if it is there.
fn below<'a>(inner: &'a str, outer: &str) -> Option<&'a str> {
    inner.strip_prefix(outer)?.strip_prefix('/')
}

/// What is wrong with a skill below another one: `inner` is its path there, and `shown` whether the
/// outer one has its files.
fn check_nested(
    inner: &str,
    shown: bool,
    (inner_scopes, outer_scopes): (&[String], &[String]),
    found: &mut Vec<String>,
) {
    if !shown {
        found.push(format!(
            "the skill `{inner}` lies in the directory of the other one, which has not its files: \
             move one of them"
        ));
    }
    if inner_scopes
        .iter()
        .any(|scope| !outer_scopes.contains(scope))
    {
        found.push(format!(
            "`{inner}` needs a scope, and its files are also those of the skill around it, which \
             does not: give both the scope"
        ));
    }
}

impl SkillSet {
    /// A set of skills. Those with a mistake are left out, and the sentences say which and why.
    ///
    /// ```
    /// use mcpfn_core::skill::{Skill, SkillFile, SkillSet};
    ///
    /// let header = r#"{"name": "refunds", "description": "How to refund an order."}"#;
    /// let file = SkillFile::new("../SKILL.md", "# Refunds");
    /// let (set, mistakes) = SkillSet::new(vec![Skill::new("returns", header).file(file)]);
    /// assert!(set.is_empty());
    /// assert_eq!(mistakes.len(), 3); // the directory's name, the file's path, no `SKILL.md`
    /// ```
    #[must_use]
    pub fn new(skills: Vec<Skill>) -> (Self, Vec<String>) {
        let (mut set, mut mistakes) = (Self::default(), Vec::new());
        for skill in skills {
            let mut found = Vec::new();
            let header = check(&skill, &mut found);
            set.check_beside_others(&skill, &mut found);
            let skill_mistakes = found
                .iter()
                .map(|mistake| format!("skill `{}`: {mistake}", skill.path));
            mistakes.extend(skill_mistakes);
            if let Some(header) = header.filter(|_| found.is_empty()) {
                set.add(skill, &header);
            }
        }
        (set, mistakes)
    }

    /// How many skills there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.skills.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.skills.is_empty()
    }

    pub(crate) fn file(&self, uri: &str) -> Option<&ServedFile> {
        self.files.get(uri)
    }

    pub(crate) fn directory(&self, uri: &str) -> Option<&BTreeMap<String, DirectoryChild>> {
        self.directories.get(uri)
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &ServedFile> {
        self.files.values()
    }

    /// What is wrong only because of the skills that there are already.
    fn check_beside_others(&self, skill: &Skill, found: &mut Vec<String>) {
        let uri = uri_of(&skill.path, MANIFEST);
        if self.skills.iter().any(|other| other.uri == uri) {
            found.push("there is another one at the same path".to_owned());
        }
        for file in &skill.files {
            let known = self.files.get(&uri_of(&skill.path, &file.path));
            if known.is_some_and(|known| known.file.digest != file.digest) {
                found.push(format!(
                    "its file `{}` has other bytes in the skill around it",
                    file.path
                ));
            }
        }
        for other in &self.skills {
            if let Some(inner) = below(&skill.path, other.path()) {
                let shown = self.files.contains_key(&uri_of(&skill.path, MANIFEST));
                check_nested(inner, shown, (&skill.scopes, &other.scopes), found);
            } else if let Some(inner) = below(other.path(), &skill.path) {
                let manifest = format!("{inner}/{MANIFEST}");
                let shown = skill.files.iter().any(|file| file.path == manifest);
                check_nested(inner, shown, (&other.scopes, &skill.scopes), found);
            }
        }
    }

    fn add(&mut self, skill: Skill, header: &ManifestHeader) {
        let position = self.skills.len();
        let uri = uri_of(&skill.path, MANIFEST);
        let entry = entry(&skill, &uri);
        let mut manifest = None;
        for file in &skill.files {
            let uri = uri_of(&skill.path, &file.path);
            let mime_type = media_type(&file.path, file.is_text);
            let mut definition = definition(&uri, &file.path, mime_type, file.size);
            if file.path == MANIFEST {
                definition.name.clone_from(&header.name);
                definition.description = Some(header.description.clone());
                manifest = Some(definition.clone());
            }
            self.place(&uri, to_json(&definition), position, file.path == MANIFEST);
            let served = self.files.entry(uri).or_insert_with(|| ServedFile {
                file: file.clone(),
                mime_type,
                path: format!("{}/{}", skill.path, file.path),
                skills: Vec::new(),
            });
            served.skills.push(position);
        }
        // the check found one
        let Some(manifest) = manifest else { return };
        self.skills.push(ServedSkill {
            uri,
            scopes: skill.scopes,
            entry,
            manifest,
        });
    }

    /// Puts an entry into its directory, and that one into the directory above, up to the top.
    /// The words of a skill about its own manifest stand above those of a skill around it.
    fn place(&mut self, uri: &str, mut entry: Vec<u8>, skill: usize, mut is_manifest: bool) {
        let mut child = uri.to_owned();
        while let Some((directory, _)) = child.rsplit_once('/') {
            if directory.len() < SCHEME.len() {
                break;
            }
            let directory = directory.to_owned();
            let children = self.directories.entry(directory.clone()).or_default();
            let placed = children
                .entry(child.clone())
                .or_insert_with(|| DirectoryChild {
                    entry: entry.clone(),
                    skills: BTreeSet::new(),
                });
            if std::mem::take(&mut is_manifest) {
                placed.entry.clone_from(&entry);
            }
            placed.skills.insert(skill);
            entry = to_json(&directory_definition(&directory));
            child = directory;
        }
    }
}

impl fmt::Debug for SkillSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skills = self.skills.iter().map(|skill| &skill.uri);
        f.debug_tuple("SkillSet")
            .field(&skills.collect::<Vec<_>>())
            .finish()
    }
}

struct ManifestHeader {
    name: String,
    description: String,
}

/// What is wrong with a skill alone.
fn check(skill: &Skill, found: &mut Vec<String>) -> Option<ManifestHeader> {
    if let Some(mistake) = path_mistake(&skill.path) {
        found.push(format!("its directory: {mistake}"));
    }
    let authority = skill.path.split('/').next().unwrap_or_default();
    let in_host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    if !authority.chars().all(in_host) {
        found.push(
            "its directory begins with other characters than a-z 0-9 - . _, which stand where a \
             URI has its host: rename it"
                .to_owned(),
        );
    }
    found.extend(files_mistakes(
        skill.files.iter().map(|file| (&*file.path, file.size)),
    ));
    found.extend(
        skill
            .scopes
            .iter()
            .filter_map(|scope| scope::mistake(scope))
            .map(str::to_owned),
    );
    let Ok(header) = serde_json::from_str::<JsonObject>(&skill.frontmatter) else {
        found.push("its frontmatter is no JSON object".to_owned());
        return None;
    };
    let text = |member: &str| {
        let text = header.get(member).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let (name, description) = (text("name"), text("description"));
    found.extend(
        [name_mistake(&name), description_mistake(&description)]
            .into_iter()
            .flatten()
            .map(|mistake| format!("its frontmatter: {mistake}")),
    );
    if skill.path.rsplit('/').next() != Some(&name) {
        found.push(format!(
            "its name in SKILL.md is {}, and its directory must have the same: rename one of them",
            crate::text::quoted(&name)
        ));
    }
    Some(ManifestHeader { name, description })
}

pub(crate) fn uri_of(skill: &str, file: &str) -> String {
    format!("{SCHEME}{skill}/{file}")
}

/// One entry of `skills/list`. The frontmatter stays the text that was read from the file.
fn entry(skill: &Skill, uri: &str) -> Vec<u8> {
    let resources: Vec<Value> = skill
        .files
        .iter()
        .map(|file| {
            json!({
                "uri": uri_of(&skill.path, &file.path),
                "digest": format!("sha256:{}", file.digest),
                "size": file.size,
            })
        })
        .collect();
    let mut entry = b"{\"uri\":".to_vec();
    entry.extend_from_slice(&to_json(uri));
    entry.extend_from_slice(b",\"frontmatter\":");
    // breaks of lines are between its members only, and would end a message on a pipe
    let frontmatter = skill.frontmatter.bytes();
    entry.extend(frontmatter.map(|byte| {
        if matches!(byte, b'\n' | b'\r') {
            b' '
        } else {
            byte
        }
    }));
    entry.extend_from_slice(b",\"resources\":");
    entry.extend_from_slice(&to_json(&resources));
    entry.push(b'}');
    entry
}

fn definition(uri: &str, path: &str, mime_type: &str, size: u64) -> ResourceDefinition {
    let name = path.rsplit('/').next().unwrap_or(path);
    ResourceDefinition {
        uri: Some(uri.to_owned()),
        uri_template: None,
        name: name.to_owned(),
        title: None,
        description: None,
        mime_type: Some(mime_type.to_owned()),
        annotations: None,
        size: Some(size),
        icons: Vec::new(),
        meta: JsonObject::new(),
    }
}

fn directory_definition(uri: &str) -> ResourceDefinition {
    ResourceDefinition {
        size: None,
        ..definition(uri, uri, "inode/directory", 0)
    }
}
