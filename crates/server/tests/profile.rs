//! A person's own machine with a profile of AWS: the program serves a bucket with the profile's
//! region and keys, and asks nobody else.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// Lists one object, and keeps the head of each request.
fn bucket() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n")
                && reader.read_line(&mut head).is_ok_and(|read| read > 0)
            {}
            kept.lock().unwrap().push(head);
            let body = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>plan.txt</Key>\
                <LastModified>2026-11-21T10:00:00.000Z</LastModified><ETag>\"e\"</ETag>\
                <Size>4</Size></Contents></ListBucketResult>";
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = reader.get_mut().write_all(answer.as_bytes());
        }
    });
    (url, heads)
}

#[test]
fn a_bucket_is_served_with_a_profile() {
    let (url, heads) = bucket();
    let home = std::env::temp_dir().join(format!("mcpfn-profile-{}", std::process::id()));
    fs::create_dir_all(home.join(".aws")).unwrap();
    let keys = "[work]\naws_access_key_id = PROFILE\naws_secret_access_key = hunter2\n";
    fs::write(home.join(".aws/credentials"), keys).unwrap();
    let settings = "[profile work]\nregion = eu-central-1\n";
    fs::write(home.join(".aws/config"), settings).unwrap();
    let run = |profile: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_mcpfn"))
            .args(["call", "list_directory", "{}"])
            .env_clear()
            .env("HOME", &home)
            .env("AWS_PROFILE", profile)
            .env("AWS_ENDPOINT_URL_S3", &url)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("MCPFN_TOOLKITS", "files")
            .env("MCPFN_FILES_ROOT", "s3://plans")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    let (success, said) = run("work");
    assert!(success && said.contains("plan.txt"), "{said}");
    let asked = std::mem::take(&mut *heads.lock().unwrap());
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with("GET /plans/?list-type=2"), "{asked:?}");
    let signed = asked[0].contains("Credential=PROFILE/") && asked[0].contains("/eu-central-1/s3/");
    assert!(signed, "{asked:?}");
    let (success, said) = run("wrok");
    assert!(!success && !said.contains("hunter2"), "{said}");
    assert!(heads.lock().unwrap().is_empty(), "nothing is sent unsigned");
    let _ = fs::remove_dir_all(&home);
}
