//! What is kept of a sign-in, in a file that only its owner can read. Programs that share the file take
//! turns by a lock beside it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Uri;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::output::remark;

/// Bytes of a file: more than a registration and a token can have together.
const MAX_FILE: u64 = 4 * super::asked::MAX_DOCUMENT as u64;
/// When somebody who waits for another program hears of it.
const UNNOTICED: Duration = Duration::from_secs(1);

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptSignIn {
    pub(super) issuer: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) token_endpoint: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) callback_port: u16,
    pub(super) access_token: Option<String>,
    pub(super) refresh_token: Option<String>,
    /// In seconds since 1970.
    pub(super) expires_at: Option<u64>,
    pub(super) scope: Option<String>,
}

impl std::fmt::Debug for KeptSignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // tokens are secrets
        f.write_str("KeptSignIn(..)")
    }
}

/// The file of one server.
#[derive(Debug)]
pub(super) struct SignInFile(PathBuf);

/// Keeps other programs from changing the file while it lives; the system ends it with the process.
#[derive(Debug)]
pub(super) struct SignInLock(#[expect(dead_code, reason = "held, not read")] fs::File);

impl SignInFile {
    /// In the person's own folder for settings, if there is one.
    pub(super) fn of(url: &Uri) -> Option<Self> {
        let folder = |name: &str| {
            let path = PathBuf::from(std::env::var_os(name)?);
            path.is_absolute().then_some(path)
        };
        let base = if cfg!(windows) {
            folder("APPDATA")
        } else {
            folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))
        };
        let digest = Sha256::digest(url.to_string());
        let name = URL_SAFE_NO_PAD.encode(&digest[..18]);
        Some(Self(base?.join("mcpfn/sign-ins").join(name + ".json")))
    }

    /// What is kept. A file that others can read is not believed.
    pub(super) fn read(&self) -> KeptSignIn {
        let Ok(file) = fs::File::open(&self.0) else {
            return KeptSignIn::default();
        };
        if !is_private(&file) {
            let path = self.0.display();
            remark(format_args!(
                "{path} is not used: others can read it; remove it"
            ));
            return KeptSignIn::default();
        }
        let mut text = String::new();
        let read = file.take(MAX_FILE).read_to_string(&mut text);
        read.ok()
            .and_then(|_| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// Waits until no other program signs in to the server or renews its token. `None` where the
    /// file system has no locks: then at worst a person is asked twice.
    pub(super) async fn lock(&self) -> Option<SignInLock> {
        let file = self.lock_file().ok()?;
        let mut waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
        let locked = match tokio::time::timeout(UNNOTICED, &mut waiting).await {
            Ok(locked) => locked,
            Err(_) => {
                remark("another program signs in to this server: waiting for it");
                waiting.await
            }
        };
        locked.ok()?.ok().map(SignInLock)
    }

    fn lock_file(&self) -> std::io::Result<fs::File> {
        if let Some(folder) = self.0.parent() {
            make(folder)?;
        }
        let mut options = fs::OpenOptions::new();
        // not the file itself, which every change replaces
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.0.with_extension("lock"))
    }

    /// Writes it whole, or not at all.
    pub(super) fn write(&self, kept: &KeptSignIn) -> Result<(), String> {
        let told = |error: std::io::Error| format!("{}: {error}", self.0.display());
        let text = serde_json::to_string(kept).map_err(|error| error.to_string())?;
        if let Some(folder) = self.0.parent() {
            make(folder).map_err(told)?;
        }
        let new = self.0.with_extension(format!("{}.new", std::process::id()));
        // an old one may have other rights
        let _ = fs::remove_file(&new);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new).map_err(told)?;
        file.write_all(text.as_bytes()).map_err(told)?;
        fs::rename(&new, &self.0).map_err(told)
    }
}

/// A folder that others can't look into.
fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(unix)]
fn is_private(file: &fs::File) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 == 0)
}

/// A person's own folder is closed to others there.
#[cfg(not(unix))]
fn is_private(_: &fs::File) -> bool {
    true
}
