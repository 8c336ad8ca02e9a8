//! Calls concurrent with others, and with changes of the directories.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mcpfn_ports::WriteCondition::{Absent, Always, Version};

use super::*;

/// Ends the thread also when the test fails.
struct Until(Arc<AtomicBool>, Option<std::thread::JoinHandle<()>>);

impl Until {
    fn repeat(mut work: impl FnMut() + Send + 'static) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                work();
            }
        });
        Self(done, Some(thread))
    }
}

impl Drop for Until {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let ended = self.1.take().map(std::thread::JoinHandle::join);
        assert!(
            std::thread::panicking() || matches!(ended, Some(Ok(()))),
            "the thread stopped early"
        );
    }
}

async fn winners(place: &Place, condition: WriteCondition) -> usize {
    let calls = (0..50).map(|number| {
        let (files, condition) = (place.files.clone(), condition.clone());
        tokio::spawn(async move {
            files
                .write(&path("a"), Bytes::from(format!("{number}")), &condition)
                .await
        })
    });
    let mut won = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error, BlobError::Changed),
        }
    }
    won
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_writers_one_wins() {
    let place = Place::new();
    assert_eq!(winners(&place, Absent).await, 1);
    let version = place.files.metadata(&path("a")).await.unwrap().version;
    assert_eq!(winners(&place, Version(version)).await, 1);
    assert_eq!(place.names(&BlobPath::top()).await.unwrap(), ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_never_sees_half_a_file() {
    let place = Place::new();
    let bytes = |letter: u8| Bytes::from(vec![letter; 300_000]);
    place
        .files
        .write(&path("a"), bytes(b'a'), &Always)
        .await
        .unwrap();
    let files = place.files.clone();
    let writer = tokio::spawn(async move {
        for number in 0..40 {
            files
                .write(&path("a"), bytes(b'a' + number % 26), &Always)
                .await
                .unwrap();
        }
    });
    while !writer.is_finished() {
        let read = place.read("a").await.unwrap();
        assert!(read.len() == 300_000 && read.iter().all(|byte| *byte == read[0]));
    }
    writer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_becomes_a_link_and_back() {
    let place = Place::new();
    std::fs::create_dir(place.root("d")).unwrap();
    std::fs::write(place.root("d/secret"), "mine").unwrap();
    std::fs::write(place.outside("outside-only"), "secret").unwrap();
    link("../outside", place.root("link"));
    let (d, aside, swap) = (place.root("d"), place.root("aside"), place.root("link"));
    let swapping = Until::repeat(move || {
        std::fs::rename(&d, &aside).unwrap();
        // a write makes the directory when it is missing at this moment
        if std::fs::rename(&swap, &d).is_ok() {
            std::fs::rename(&d, &swap).unwrap();
        }
        while std::fs::rename(&aside, &d).is_err() {
            let _ = std::fs::remove_dir_all(&d);
        }
    });
    let (mut read, mut written) = (0, 0);
    for _ in 0..300 {
        if let Ok(bytes) = place.read("d/secret").await {
            assert_ne!(bytes, "secret");
            read += 1;
        }
        let names = place.names(&path("d")).await.unwrap_or_default();
        assert!(!names.contains(&"outside-only".to_owned()));
        written += u32::from(place.write("d/written", "x", Always).await.is_ok());
        let _ = place
            .files
            .rename(&path("d/written"), &path("d/moved"), true)
            .await;
    }
    drop(swapping);
    assert!(
        read > 0 && written > 0,
        "{read} reads and {written} writes hit the directory"
    );
    assert_eq!(
        std::fs::read_to_string(place.outside("secret")).unwrap(),
        "secret"
    );
    assert_eq!(std::fs::read_dir(place.outside("")).unwrap().count(), 2);
}
