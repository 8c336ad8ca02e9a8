//! One part of the tool cache at a time: made once, however many runs ask for it. What a part is
//! made of is known by the files beside this one.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::{
    context::Context,
    report::{Result, While},
};

/// Makes `<tools>/<name>` by letting `build` fill a temporary folder beside it, once, however many
/// runs ask at a time.
pub(super) fn once(
    cx: &Context,
    name: &str,
    build: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let finished = cx.tools.join(name);
    if finished.is_dir() {
        return Ok(finished);
    }
    let _lock = lock(cx, name)?;
    if finished.is_dir() {
        return Ok(finished);
    }
    // Whoever holds the lock is the only builder, so a folder found here is the rest of an
    // interrupted run.
    let unfinished = cx.tools.join(format!("unfinished-{name}"));
    remove(&unfinished)?;
    fs::create_dir_all(&unfinished).while_doing(format_args!("create {}", unfinished.display()))?;
    build(&unfinished)?;
    fs::rename(&unfinished, &finished).while_doing(format_args!("put {name} in its place"))?;
    Ok(finished)
}

/// Waits for another run that is preparing the same part; released when the file is dropped, also
/// after a crash.
pub(super) fn lock(cx: &Context, name: &str) -> Result<File> {
    fs::create_dir_all(&cx.tools).while_doing(format_args!(
        "create {} (set MCPFN_TOOLS to a folder that can be written to)",
        cx.tools.display()
    ))?;
    let path = cx.tools.join(format!("{name}.lock"));
    let file = File::create(&path).while_doing(format_args!("create {}", path.display()))?;
    file.lock()
        .while_doing(format_args!("lock {}", path.display()))?;
    Ok(file)
}

pub(super) fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).while_doing(format_args!("remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;
    use crate::report::Error;

    #[test]
    fn a_part_is_built_once_and_what_an_interrupted_run_left_is_thrown_away() {
        let tools = env::temp_dir().join(format!("mcpfn-xtask-once-{}", std::process::id()));
        let cx = Context {
            root: tools.clone(),
            tools: tools.clone(),
            target: tools.clone(),
        };

        let refused = once(&cx, "part", |folder| {
            fs::write(folder.join("half"), "").unwrap();
            Err(Error::new("interrupted"))
        });
        assert!(refused.is_err());
        assert!(!tools.join("part").exists());

        let folder = once(&cx, "part", |folder| {
            assert!(!folder.join("half").exists());
            fs::write(folder.join("whole"), "").unwrap();
            Ok(())
        });
        assert!(folder.unwrap().join("whole").exists());
        assert!(once(&cx, "part", |_| panic!("built twice")).is_ok());
        fs::remove_dir_all(tools).unwrap();
    }
}
