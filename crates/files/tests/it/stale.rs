//! What a program left that was stopped in the middle of a write.

use std::time::{Duration, SystemTime};

use mcpfn_ports::WriteCondition::Always;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// A file that was written so long ago.
fn put(place: &Place, name: &str, age: Duration) {
    let file = std::fs::File::create(place.root(name)).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

fn left(place: &Place, directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(place.root(directory)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

const OLD: &str = ".mcpfn-0123456789abcdef";

#[tokio::test]
async fn what_is_old_is_deleted_by_the_next_write() {
    let place = Place::new();
    std::fs::create_dir(place.root("d")).unwrap();
    std::fs::create_dir(place.root("d/.mcpfn-0000000000000000")).unwrap();
    put(&place, &format!("d/{OLD}"), 25 * HOUR);
    // perhaps somebody still writes it, and these are nobody's here
    for (name, age) in [
        (".mcpfn-1111111111111111", 23 * HOUR),
        (".mcpfn-notes", 99 * HOUR),
        ("old", 99 * HOUR),
    ] {
        put(&place, &format!("d/{name}"), age);
    }
    put(&place, OLD, 25 * HOUR);
    link("../outside/secret", place.root("d/.mcpfn-2222222222222222"));
    place.write("d/new", "x", Always).await.unwrap();
    let stay = [
        ".mcpfn-0000000000000000",
        ".mcpfn-1111111111111111",
        ".mcpfn-2222222222222222",
        ".mcpfn-notes",
        "new",
        "old",
    ];
    assert_eq!(left(&place, "d"), stay);
    assert!(place.root(OLD).exists(), "nothing was written there");
    place.write("top", "x", Always).await.unwrap();
    assert!(!place.root(OLD).exists());
    assert_eq!(
        std::fs::read_to_string(place.outside("secret")).unwrap(),
        "secret"
    );
}

#[tokio::test]
async fn a_directory_is_looked_through_once_a_day() {
    let place = Place::new();
    place.write("a", "x", Always).await.unwrap();
    put(&place, OLD, 25 * HOUR);
    place.write("b", "x", Always).await.unwrap();
    assert!(place.root(OLD).exists(), "not again so soon");
    // as another process would, later
    let later = Directory::open(place.root("")).unwrap();
    later
        .write(&path("b"), Bytes::new(), &Always)
        .await
        .unwrap();
    assert!(!place.root(OLD).exists());
}
