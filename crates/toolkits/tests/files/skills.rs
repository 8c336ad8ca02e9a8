//! Skills that lie in a directory: what is served of it, and what happens when it changes.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use mcpfn_core::Server;
use mcpfn_core::handler::BoxFuture;
use mcpfn_files::Directory;
use mcpfn_ports::{BlobError, BlobMetadata, BlobPage, BlobPart, BlobPath, Blobs, WriteCondition};
use mcpfn_testing::TestClient;
use mcpfn_toolkits::skills::stored;
use serde_json::{Value, json};
use tokio::runtime::{EnterGuard, Runtime};

/// A directory of its own for each test.
struct Place(
    PathBuf,
    #[expect(dead_code, reason = "held")] EnterGuard<'static>,
    Arc<AtomicBool>,
);

/// A directory that can be out of reach.
struct Store(Directory, Arc<AtomicBool>);

impl Store {
    fn reach<'a, T>(
        &self,
        asked: BoxFuture<'a, Result<T, BlobError>>,
    ) -> BoxFuture<'a, Result<T, BlobError>>
    where
        T: 'a,
    {
        if self.1.load(Ordering::Relaxed) {
            return Box::pin(async { Err(BlobError::Unavailable("no route".to_owned())) });
        }
        asked
    }
}

impl Blobs for Store {
    fn read<'a>(
        &'a self,
        path: &'a BlobPath,
        offset: u64,
        length: usize,
    ) -> BoxFuture<'a, Result<BlobPart, BlobError>> {
        self.reach(self.0.read(path, offset, length))
    }

    fn metadata<'a>(
        &'a self,
        path: &'a BlobPath,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        self.reach(self.0.metadata(path))
    }

    fn list<'a>(
        &'a self,
        directory: &'a BlobPath,
        start: &'a str,
        cursor: Option<&'a str>,
        most: usize,
    ) -> BoxFuture<'a, Result<BlobPage, BlobError>> {
        self.reach(self.0.list(directory, start, cursor, most))
    }

    fn write<'a>(
        &'a self,
        path: &'a BlobPath,
        bytes: Bytes,
        condition: &'a WriteCondition,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        self.reach(self.0.write(path, bytes, condition))
    }

    fn rename<'a>(
        &'a self,
        from: &'a BlobPath,
        to: &'a BlobPath,
        replace: bool,
    ) -> BoxFuture<'a, Result<BlobMetadata, BlobError>> {
        self.reach(self.0.rename(from, to, replace))
    }
}

/// The directory's threads.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

impl Place {
    fn new(test: &str) -> Self {
        let name = format!("mcpfn-skills-{test}-{}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        Self(place, RUNTIME.enter(), Arc::default())
    }

    /// Each write has another time, as it would on a file system with time to pass.
    fn write(&self, path: &str, bytes: impl AsRef<[u8]>, second: u64) {
        let place = self.0.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, bytes).unwrap();
        let file = fs::File::options().write(true).open(&place).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(second))
            .unwrap();
    }

    fn client(&self) -> TestClient {
        let directory = Directory::open(&self.0).unwrap();
        let skills = stored("skills", Arc::new(Store(directory, Arc::clone(&self.2))));
        TestClient::new(Server::builder("team", "1.0.0").skills(skills))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn manifest(name: &str) -> String {
    format!("---\nname: {name}\ndescription: About {name}.\n---\n# {name}\n")
}

fn names(client: &TestClient) -> Vec<String> {
    let listed = client.request("skills/list", json!({})).wait().unwrap();
    let name = |skill: &Value| skill["frontmatter"]["name"].as_str().unwrap().to_owned();
    listed["skills"]
        .as_array()
        .unwrap()
        .iter()
        .map(name)
        .collect()
}

#[test]
fn what_changes_is_refused_until_it_is_listed_again() {
    let place = Place::new("changes");
    place.write("team/refunds/SKILL.md", manifest("refunds"), 1);
    place.write("team/refunds/scripts/x.py", "print(1)", 1);
    place.write("team/refunds/logo.png", [0x89, 0xff], 1);
    let client = place.client();
    assert_eq!(names(&client), ["refunds"]);
    let script = "skill://team/refunds/scripts/x.py";
    assert_eq!(client.read(script).wait().unwrap().text(), Some("print(1)"));
    let listed = client.list_resources().wait().unwrap();
    assert_eq!((listed.len(), &*listed[0].name), (1, "refunds"));
    // other bytes of the same size, within the minute that the set holds
    place.write("team/refunds/scripts/x.py", "print(2)", 2);
    assert_eq!(client.read(script).wait().unwrap_err().code(), Some(-32603));
    // that told the source, so that the next one has a new set
    assert_eq!(client.read(script).wait().unwrap().text(), Some("print(2)"));
    fs::remove_file(place.0.join("team/refunds/scripts/x.py")).unwrap();
    assert_eq!(client.read(script).wait().unwrap_err().code(), Some(-32603));
    assert_eq!(client.read(script).wait().unwrap_err().code(), Some(-32602));
    // a new one is seen after a minute
    place.write("returns/SKILL.md", manifest("returns"), 3);
    assert_eq!(names(&client), ["refunds"]);
    client.time().advance(Duration::from_secs(61));
    assert_eq!(names(&client), ["returns", "refunds"].map(str::to_owned));
    // a store that is gone keeps what was there, and each file is still asked for
    place.2.store(true, Ordering::Relaxed);
    client.time().advance(Duration::from_secs(61));
    assert_eq!(names(&client).len(), 2);
    assert_eq!(
        client
            .read("skill://returns/SKILL.md")
            .wait()
            .unwrap_err()
            .code(),
        Some(-32603)
    );
}

#[cfg(unix)]
#[test]
fn poisoned_names_and_links_are_left_out() {
    let place = Place::new("poison");
    place.write("good/SKILL.md", manifest("good"), 1);
    for name in [
        "a%2fb",
        "a b.md",
        ".env",
        "a\u{200d}b",
        "con.txt",
        "a\\b",
        "x\ny",
        "é.md",
    ] {
        place.write(&format!("good/{name}"), "secret", 1);
    }
    place.write("secret.txt", "secret", 1);
    std::os::unix::fs::symlink("/etc/passwd", place.0.join("good/passwd")).unwrap();
    std::os::unix::fs::symlink("/etc", place.0.join("good/etc")).unwrap();
    place.write("wrong-name/SKILL.md", manifest("other"), 1);
    place.write("no-header/SKILL.md", "# nothing", 1);
    place.write("same/SKILL.md", manifest("same"), 1);
    place.write("same/a.md", "", 1);
    place.write("same/A.md", "", 1);
    let client = place.client();
    let listed = client.request("skills/list", json!({})).wait().unwrap();
    let skills = listed["skills"].as_array().unwrap();
    assert_eq!(skills.len(), 1, "{listed}");
    assert_eq!(
        skills[0]["resources"].as_array().unwrap().len(),
        1,
        "{listed}"
    );
    for uri in [
        "skill://good/passwd",
        "skill://good/etc/passwd",
        "skill://good/../secret.txt",
        "skill://secret.txt",
        "skill://good/.env",
        "skill://good/a%2fb",
        "skill://same/a.md",
    ] {
        assert_eq!(
            client.read(uri).wait().unwrap_err().code(),
            Some(-32602),
            "{uri}"
        );
    }
    let told = format!("{:?}", client.audit().degraded());
    for part in [
        "percent",
        "wrong-name",
        "no-header",
        "ignore case",
        "is a link",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_store_that_is_not_there_is_no_empty_one() {
    let place = Place::new("gone");
    let client = place.client();
    place.2.store(true, Ordering::Relaxed);
    let listed = client.request("skills/list", json!({})).wait().unwrap();
    assert_eq!(listed["skills"], json!([]));
    let asked = |method: &str| {
        client
            .request(method, json!({"uri": "skill://a/SKILL.md"}))
            .wait()
    };
    assert_eq!(asked("skills/get").unwrap_err().code(), Some(-32603));
    assert_eq!(asked("resources/read").unwrap_err().code(), Some(-32603));
}

#[test]
fn a_large_skill_is_left_out_and_the_others_are_not() {
    let place = Place::new("large");
    place.write("small/SKILL.md", manifest("small"), 1);
    place.write("large/SKILL.md", manifest("large"), 1);
    for number in 0..5 {
        place.write(
            &format!("large/{number}.bin"),
            vec![0xff; 4 * 1024 * 1024],
            1,
        );
    }
    place.write("many/SKILL.md", manifest("many"), 1);
    for number in 0..513 {
        place.write(&format!("many/{number}.md"), "", 1);
    }
    assert_eq!(names(&place.client()), ["small"]);
}
