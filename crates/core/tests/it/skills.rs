//! Skills of a server as its clients see them: lists, files, directories, scopes, sources that fail
//! or change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::skill::{Skill, SkillFile, SkillSet, SkillSource, Skills};
use mcpfn_core::{Cx, Resource, Revision, Server, ToolError};
use mcpfn_testing::TestClient;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn skill(path: &str) -> Skill {
    let name = path.rsplit('/').next().unwrap();
    let header = json!({"name": name, "description": format!("About {name}."), "x": [1, null]});
    let text = format!("---\nname: {name}\ndescription: About {name}.\nx: [1, null]\n---\n");
    Skill::new(path, header.to_string()).file(SkillFile::new("SKILL.md", text))
}

fn client(skills: Skills) -> TestClient {
    TestClient::new(Server::builder("shop", "1.0.0").skills(skills))
}

fn ask(client: &TestClient, method: &str, params: Value) -> Result<Value, (i32, String)> {
    let answer = client.request(method, params).wait();
    answer.map_err(|error| (error.code().unwrap_or_default(), error.to_string()))
}

fn uris(result: &Value, member: &str) -> Vec<String> {
    let entries = result[member].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["uri"].as_str().unwrap().to_owned())
        .collect()
}

fn several() -> Skills {
    let refunds = skill("acme/refunds")
        .file(SkillFile::new("scripts/check.py", "print(1)"))
        .file(SkillFile::new("logo.png", vec![0x89, 0xff, 0]));
    Skills::new()
        .skill(refunds)
        .skill(skill("returns").scope("returns:read"))
}

#[test]
fn what_is_listed_is_what_is_read() {
    for revision in Revision::ALL {
        let client = client(several()).revision(revision);
        let listed = ask(&client, "skills/list", json!({})).unwrap();
        assert_eq!(
            uris(&listed, "skills"),
            ["skill://acme/refunds/SKILL.md", "skill://returns/SKILL.md"]
        );
        let modern = revision == Revision::LATEST;
        for member in ["resultType", "ttlMs", "cacheScope"] {
            assert_eq!(
                listed.get(member).is_some(),
                modern,
                "{revision:?} {member}"
            );
        }
        for skill in listed["skills"].as_array().unwrap() {
            let uri = &skill["uri"];
            let got = ask(&client, "skills/get", json!({"uri": uri})).unwrap();
            assert_eq!((&got["skill"], got.get("ttlMs").is_some()), (skill, modern));
            assert_eq!(skill["frontmatter"]["x"], json!([1, null]));
            assert_eq!(skill.as_object().unwrap().len(), 3);
            for file in skill["resources"].as_array().unwrap() {
                let uri = file["uri"].as_str().unwrap();
                let contents = client.read(uri).wait().unwrap();
                let bytes = match contents.text() {
                    Some(text) => text.as_bytes().to_vec(),
                    None => vec![0x89, 0xff, 0],
                };
                let hex: String = Sha256::digest(&bytes)
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                assert_eq!(
                    (&file["digest"], &file["size"]),
                    (&json!(format!("sha256:{hex}")), &json!(bytes.len()))
                );
            }
        }
        let resources = ask(&client, "resources/list", json!({})).unwrap();
        let manifest = &resources["resources"][0];
        assert_eq!(manifest["mimeType"], "text/markdown");
        assert_eq!(
            (&manifest["name"], &manifest["description"]),
            (&json!("refunds"), &json!("About refunds."))
        );
        assert_eq!(resources["resources"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn both_eras_are_told_of_the_extension() {
    let extension = json!({"io.modelcontextprotocol/skills": {"directoryRead": true}});
    let modern = ask(&client(several()), "server/discover", json!({})).unwrap();
    assert_eq!(modern["capabilities"]["extensions"], extension);
    let client = client(several()).revision(Revision::LATEST_LEGACY);
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}});
    let legacy = ask(&client, "initialize", params).unwrap();
    assert_eq!(legacy["capabilities"]["extensions"], extension);
    assert!(legacy["capabilities"]["resources"].is_object());
    let without = TestClient::new(Server::builder("shop", "1.0.0"));
    for method in ["skills/list", "skills/get", "resources/directory/read"] {
        assert_eq!(
            ask(&without, method, json!({"uri": "skill://a"}))
                .unwrap_err()
                .0,
            -32601
        );
    }
}

#[test]
fn directories_have_their_own_entries_alone() {
    let client = client(several());
    let read = |uri: &str| ask(&client, "resources/directory/read", json!({"uri": uri}));
    assert_eq!(
        uris(&read("skill://acme").unwrap(), "resources"),
        ["skill://acme/refunds"]
    );
    let refunds = read("skill://acme/refunds").unwrap();
    let expected =
        ["SKILL.md", "logo.png", "scripts"].map(|name| format!("skill://acme/refunds/{name}"));
    assert_eq!(uris(&refunds, "resources"), expected);
    assert_eq!(refunds["resources"][0]["name"], "refunds");
    assert_eq!(refunds["resources"][1]["mimeType"], "image/png");
    assert_eq!(
        refunds["resources"][2],
        json!({"uri": expected[2], "name": "scripts", "mimeType": "inode/directory"})
    );
    for uri in [
        "skill://",
        "skill://acme/",
        "skill://acme/refunds/SKILL.md",
        "skill://x",
        "skill:",
        "",
        "skill://acme/../acme",
    ] {
        let (code, message) = read(uri).unwrap_err();
        assert_eq!(code, -32602, "{uri}: {message}");
    }
}

#[test]
fn poisoned_uris_are_unknown() {
    let client = client(several());
    for uri in [
        "skill://acme/refunds",
        "skill://acme/refunds/skill.md",
        "skill://acme/refunds/../refunds/SKILL.md",
        "skill://acme/refunds/%53KILL.md",
        "skill://acme%2frefunds/SKILL.md",
        "skill://acme/refunds/SKILL.md/",
        "skill://acme/refunds/SKILL.md\0",
        "skill://acme/refunds//SKILL.md",
        "skill:///etc/passwd",
    ] {
        assert_eq!(
            ask(&client, "skills/get", json!({"uri": uri}))
                .unwrap_err()
                .0,
            -32602,
            "{uri}"
        );
        let refused = client.read(uri).wait().unwrap_err();
        assert_eq!(refused.code(), Some(-32602), "{uri}");
    }
    for params in [
        json!({}),
        json!({"uri": 1}),
        json!({"uri": null}),
        json!({"uri": ["a"]}),
    ] {
        assert_eq!(
            ask(&client, "skills/get", params.clone()).unwrap_err().0,
            -32602
        );
        assert_eq!(
            ask(&client, "resources/directory/read", params)
                .unwrap_err()
                .0,
            -32602
        );
    }
    for cursor in [json!("x"), json!(1), json!("")] {
        assert_eq!(
            ask(&client, "skills/list", json!({"cursor": cursor}))
                .unwrap_err()
                .0,
            -32602
        );
    }
}

#[test]
fn a_skill_is_unknown_to_callers_without_its_scope() {
    let client = client(several()).scopes("");
    let listed = ask(&client, "skills/list", json!({})).unwrap();
    assert_eq!(uris(&listed, "skills"), ["skill://acme/refunds/SKILL.md"]);
    assert_eq!(listed["cacheScope"], "private");
    let resources = ask(&client, "resources/list", json!({})).unwrap();
    assert_eq!(
        uris(&resources, "resources"),
        ["skill://acme/refunds/SKILL.md"]
    );
    let uri = json!({"uri": "skill://returns/SKILL.md"});
    let hidden = ask(&client, "skills/get", uri).unwrap_err();
    let unknown = ask(
        &client,
        "skills/get",
        json!({"uri": "skill://unknown/SKILL.md"}),
    )
    .unwrap_err();
    assert_eq!(hidden.1.replace("returns", "unknown"), unknown.1);
    assert_eq!(
        client
            .read("skill://returns/SKILL.md")
            .wait()
            .unwrap_err()
            .code(),
        Some(-32602)
    );
    assert_eq!(
        ask(
            &client,
            "resources/directory/read",
            json!({"uri": "skill://returns"})
        )
        .unwrap_err()
        .0,
        -32602
    );
    let granted = client.scopes("returns:read");
    assert!(granted.read("skill://returns/SKILL.md").wait().is_ok());
}

#[test]
fn long_lists_have_pages() {
    let mut skills = Skills::new();
    let mut many = skill("many");
    for number in 0..25 {
        skills = skills.skill(skill(&format!("s{number:02}")));
        many = many.file(SkillFile::new(format!("f{number:02}"), "x"));
    }
    let client = TestClient::new(
        Server::builder("shop", "1.0.0")
            .page_size(10)
            .skills(skills.skill(many)),
    );
    for (method, member, expected) in [
        ("skills/list", "skills", 26),
        ("resources/directory/read", "resources", 26),
        ("resources/list", "resources", 26),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let mut params = json!({"uri": "skill://many"});
            if !cursor.is_null() {
                params["cursor"] = cursor;
            }
            let page = ask(&client, method, params).unwrap();
            seen.extend(uris(&page, member));
            cursor = page["nextCursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(seen.len(), expected, "{method}");
        assert_eq!(
            seen.iter().collect::<std::collections::BTreeSet<_>>().len(),
            expected
        );
    }
}

#[test]
fn a_skill_in_another_one_is_part_of_it() {
    let inner = skill("a/b");
    let text = "---\nname: b\ndescription: About b.\nx: [1, null]\n---\n";
    for inner_first in [true, false] {
        let outer = skill("a").file(SkillFile::new("b/SKILL.md", text));
        let skills = match inner_first {
            true => Skills::new().skill(inner.clone()).skill(outer),
            false => Skills::new().skill(outer).skill(inner.clone()),
        };
        let client = client(skills);
        let directory = ask(
            &client,
            "resources/directory/read",
            json!({"uri": "skill://a/b"}),
        )
        .unwrap();
        assert_eq!(directory["resources"][0]["description"], "About b.");
        assert!(client.read("skill://a/b/SKILL.md").wait().is_ok());
    }
}

#[test]
fn every_mistake_is_reported_at_once() {
    let big = SkillFile::new("big.bin", vec![0xff; 4 * 1024 * 1024]);
    let skills = Skills::new()
        .scope("a b")
        .skill(skill("one").file(big))
        .skill(skill("one"))
        .skill(skill("Two/three"))
        .skill(skill("four").file(SkillFile::new("../x", "")))
        .skill(skill("one/inner"))
        .skill(Skill::new("five", "[]"));
    let taken = Resource::new("skill://x/y", "x")
        .description("X.")
        .handler(|| async { "x" });
    let server = Server::builder("shop", "1.0.0")
        .skills(skills)
        .resource(taken)
        .build();
    let mistakes = server.unwrap_err().mistakes;
    for part in [
        "skills: a scope",
        "`one`: there is another",
        "big.bin",
        "Two/three",
        "../x",
        "`inner` lies in",
        "`five`: it has no SKILL.md",
        "no JSON object",
        "`skill://x/y`: `skill://` is for files",
    ] {
        assert!(
            mistakes.iter().any(|mistake| mistake.contains(part)),
            "{part}: {mistakes:#?}"
        );
    }
}

/// Its skill can change, or be gone.
#[derive(Clone, Default)]
struct Changing {
    fails: Arc<AtomicBool>,
    differs: Arc<AtomicBool>,
    told: Arc<AtomicUsize>,
}

impl SkillSource for Changing {
    fn name(&self) -> &str {
        "bucket"
    }

    fn skills(&self, _: Cx) -> BoxFuture<'static, Result<Arc<SkillSet>, ToolError>> {
        if self.fails.load(Ordering::Relaxed) {
            return Box::pin(async { Err(ToolError::internal("no route to the bucket")) });
        }
        let header = r#"{"name": "far",
            "description": "Far away."}"#;
        let skill = Skill::new("far", header).file(SkillFile::kept_elsewhere("SKILL.md", b"far"));
        let (set, mistakes) = SkillSet::new(vec![skill]);
        assert_eq!(mistakes, Vec::<String>::new());
        Box::pin(async { Ok(Arc::new(set)) })
    }

    fn read(&self, path: String, _: Cx) -> BoxFuture<'static, Result<Bytes, ToolError>> {
        assert_eq!(path, "far/SKILL.md");
        let differs = self.differs.load(Ordering::Relaxed);
        Box::pin(async move { Ok(Bytes::from_static(if differs { b"fax" } else { b"far" })) })
    }

    fn changed(&self) {
        self.told.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_source_is_asked_while_the_server_runs() {
    let source = Changing::default();
    let builder = Server::builder("shop", "1.0.0")
        .skills(several())
        .skills(Skills::from_source(source.clone()));
    let client = TestClient::new(builder);
    let far = "skill://far/SKILL.md";
    let listed = ask(&client, "skills/list", json!({})).unwrap();
    assert_eq!(uris(&listed, "skills")[2], far);
    // no break of a line: it would end a message on a pipe
    assert!(!listed.to_string().contains('\n'));
    assert_eq!(
        uris(
            &ask(&client, "resources/list", json!({})).unwrap(),
            "resources"
        )[2],
        far
    );
    assert_eq!(client.read(far).wait().unwrap().text(), Some("far"));
    // bytes that are not those of the list are not sent
    source.differs.store(true, Ordering::Relaxed);
    let changed = client.read(far).wait().unwrap_err();
    assert_eq!(
        (changed.code(), source.told.load(Ordering::Relaxed)),
        (Some(-32603), 1)
    );
    // what the server has itself is still there
    source.fails.store(true, Ordering::Relaxed);
    assert_eq!(
        uris(&ask(&client, "skills/list", json!({})).unwrap(), "skills").len(),
        2
    );
    assert_eq!(
        uris(
            &ask(&client, "resources/list", json!({})).unwrap(),
            "resources"
        )
        .len(),
        2
    );
    assert!(client.read("skill://returns/SKILL.md").wait().is_ok());
    // and what may be in the source is not called unknown
    for (method, uri) in [
        ("skills/get", far),
        ("resources/directory/read", "skill://far"),
        ("resources/read", far),
    ] {
        let (code, message) = ask(&client, method, json!({"uri": uri})).unwrap_err();
        assert_eq!(code, -32603, "{method}: {message}");
        assert!(!message.contains("route"), "{message}");
    }
}
