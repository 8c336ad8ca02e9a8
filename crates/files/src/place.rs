//! Writing and renaming below an open directory, as blocking functions. Everything goes through the
//! open directory that a file is in, so that a directory that is swapped for a link meanwhile
//! changes nothing.

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use cap_std::fs::{Dir, File, OpenOptions};
use mcpfn_ports::{BlobError, BlobMetadata, WriteCondition};

use crate::io::{TEMPORARY, failed, known};

/// The open directory of a path, and the name in it.
fn parent<'a>(dir: &Dir, path: &'a Path, make: bool) -> Result<(Dir, &'a Path), BlobError> {
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(BlobError::NotAFile);
    };
    let above = if above.as_os_str().is_empty() {
        Path::new(".")
    } else {
        above
    };
    if make {
        // what stands there already is looked at by the next line
        match dir.create_dir_all(above) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(&error)),
            _ => {}
        }
    }
    let opened = dir.open_dir(above).map_err(|error| failed(&error))?;
    Ok((opened, Path::new(name)))
}

/// The regular file at a name, if anything is there. Links are not followed: what they point to has
/// a path of its own.
fn present(dir: &Dir, name: &Path) -> Result<Option<cap_std::fs::Metadata>, BlobError> {
    match dir.symlink_metadata(name) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata)),
        Ok(_) => Err(BlobError::NotAFile),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

pub(crate) fn write(
    dir: &Dir,
    path: &Path,
    bytes: &[u8],
    condition: &WriteCondition,
    writing: &Mutex<()>,
) -> Result<BlobMetadata, BlobError> {
    // a file that has a version has its directories: a write that is refused makes none
    let make = !matches!(condition, WriteCondition::Version(_));
    let (dir, name) = match parent(dir, path, make) {
        Err(BlobError::NotFound) if !make => return Err(BlobError::Changed),
        opened => opened?,
    };
    // before the bytes, which may be many
    let before = present(&dir, name)?;
    holds(condition, before.as_ref())?;
    let temporary = Temporary::new(&dir)?;
    let mut file = &temporary.file;
    file.write_all(bytes).map_err(|error| failed(&error))?;
    if let Some(before) = &before {
        file.set_permissions(before.permissions())
            .map_err(|error| failed(&error))?;
    }
    // else a power cut could leave the new name with none of the bytes
    file.sync_all().map_err(|error| failed(&error))?;
    let _alone = writing.lock().unwrap_or_else(PoisonError::into_inner);
    holds(condition, present(&dir, name)?.as_ref())?;
    if *condition == WriteCondition::Absent {
        link(&dir, Path::new(&temporary.name), &dir, name)?;
        // the second name counts as a change, so the version is taken without it
        drop(dir.remove_file(&temporary.name));
    } else {
        dir.rename(&temporary.name, &dir, name)
            .map_err(|error| failed(&error))?;
    }
    temporary
        .file
        .metadata()
        .map(|metadata| known(&metadata))
        .map_err(|error| failed(&error))
}

fn holds(
    condition: &WriteCondition,
    there: Option<&cap_std::fs::Metadata>,
) -> Result<(), BlobError> {
    let holds = match condition {
        WriteCondition::Always => true,
        WriteCondition::Absent => there.is_none(),
        WriteCondition::Version(version) => {
            there.is_some_and(|metadata| known(metadata).version == *version)
        }
    };
    if holds {
        Ok(())
    } else {
        Err(BlobError::Changed)
    }
}

pub(crate) fn rename(
    (from_dir, from): (&Dir, &Path),
    (to_dir, to): (&Dir, &Path),
    replace: bool,
    writing: &Mutex<()>,
) -> Result<BlobMetadata, BlobError> {
    let (from_dir, from) = parent(from_dir, from, false)?;
    let source = match present(&from_dir, from) {
        Err(BlobError::NotAFile)
            if from_dir
                .symlink_metadata(from)
                .is_ok_and(|it| it.is_symlink()) =>
        {
            return Err(BlobError::Link);
        }
        source => source?.ok_or(BlobError::NotFound)?,
    };
    let (to_dir, to) = parent(to_dir, to, true)?;
    let _alone = writing.lock().unwrap_or_else(PoisonError::into_inner);
    let target = present(&to_dir, to)?;
    if target
        .as_ref()
        .is_some_and(|target| !replace || is_same(&source, target))
    {
        return Err(BlobError::Changed);
    }
    if replace {
        from_dir
            .rename(from, &to_dir, to)
            .map_err(|error| failed(&error))?;
    } else {
        link(&from_dir, from, &to_dir, to)?;
        match from_dir.remove_file(from) {
            // where there are no hard links, `link` has renamed it
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(BlobError::Copied(error.to_string()));
            }
            _ => {}
        }
    }
    to_dir
        .symlink_metadata(to)
        .map(|metadata| known(&metadata))
        .map_err(|error| failed(&error))
}

/// Two names of one file: renaming one to the other would do nothing and say it had.
fn is_same(one: &cap_std::fs::Metadata, other: &cap_std::fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use cap_std::fs::MetadataExt as _;
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = (one, other);
        false
    }
}

/// Gives a file a second name if it is free, in one step. Where that is impossible it is renamed,
/// after a look that only this process's other calls can't overtake.
fn link(from_dir: &Dir, from: &Path, to_dir: &Dir, to: &Path) -> Result<(), BlobError> {
    match from_dir.hard_link(from, to_dir, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(BlobError::Changed),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            if present(to_dir, to)?.is_some() {
                return Err(BlobError::Changed);
            }
            from_dir
                .rename(from, to_dir, to)
                .map_err(|error| failed(&error))
        }
        Err(error) => Err(failed(&error)),
    }
}

/// A new file under a free name. Gone when dropped, if it still has that name.
struct Temporary<'a> {
    dir: &'a Dir,
    name: String,
    file: File,
}

impl<'a> Temporary<'a> {
    fn new(dir: &'a Dir) -> Result<Self, BlobError> {
        let random = getrandom::u64().map_err(|error| BlobError::Unavailable(error.to_string()))?;
        let name = format!("{TEMPORARY}{random:016x}");
        let file = dir
            .open_with(&name, OpenOptions::new().write(true).create_new(true))
            .map_err(|error| failed(&error))?;
        Ok(Self { dir, name, file })
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        let _ = self.dir.remove_file(&self.name);
    }
}
