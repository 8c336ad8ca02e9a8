//! The role reaches the served part of a bucket and nothing else of it; of one with skills, too.

use serde_json::{Value, json};

use crate::{combinations, template};

#[test]
fn the_role_reaches_the_served_part_alone() {
    let template = template();
    for parameters in combinations(&[
        ("Toolkits", &["hello,files"]),
        ("FilesBucket", &["files"]),
        ("FilesPrefix", &["", "team/shared"]),
        ("FilesWritable", &["off", "on"]),
    ]) {
        let stack = template.deploy(&parameters).unwrap();
        let [_, _, (_, prefix), (_, writable)] = parameters[..] else {
            panic!("four parameters");
        };
        let (root, below, listed) = match prefix {
            "" => ("s3://files".to_owned(), "*".to_owned(), json!(null)),
            _ => (
                format!("s3://files/{prefix}"),
                format!("{prefix}/*"),
                json!({"StringLike": {"s3:prefix": format!("{prefix}/*")}}),
            ),
        };
        assert_eq!(stack.environment("Function")["MCPFN_FILES_ROOT"], root);
        let policy = &stack.properties("FilesPolicy").unwrap()["PolicyDocument"];
        let actions = match writable {
            "on" => json!(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]),
            _ => json!(["s3:GetObject"]),
        };
        let list = &policy["Statement"][0];
        assert_eq!(list["Action"], "s3:ListBucket");
        assert_eq!(list["Resource"], "arn:aws:s3:::files");
        assert_eq!(list.get("Condition").unwrap_or(&Value::Null), &listed);
        let objects = &policy["Statement"][1];
        assert_eq!(objects["Action"], actions);
        assert_eq!(objects["Resource"], format!("arn:aws:s3:::files/{below}"));
        assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn without_the_toolkit_no_bucket_is_reached() {
    let template = template();
    let stack = template.deploy(&[]).unwrap();
    assert_eq!(stack.properties("FilesPolicy"), None);
    for parameters in [
        [("Toolkits", "hello,files")].as_slice(),
        &[("FilesBucket", "files")],
        &[("FilesPrefix", "a")],
        &[("FilesWritable", "on")],
    ] {
        let refused = template.deploy(parameters).unwrap_err();
        assert!(refused[0].contains("FilesBucket"), "{refused:?}");
    }
}

#[test]
fn the_role_reads_the_skills_alone() {
    let template = template();
    for (prefix, root, below) in [
        ("", "s3://team", "*"),
        ("a/skills", "s3://team/a/skills", "a/skills/*"),
    ] {
        let parameters = [
            ("SkillsBucket", "team"),
            ("SkillsPrefix", prefix),
            ("SkillsScope", "team:read"),
        ];
        let stack = template.deploy(&parameters).unwrap();
        let environment = stack.environment("Function");
        assert_eq!(environment["MCPFN_SKILLS_ROOT"], root);
        assert_eq!(environment["MCPFN_SKILLS_SCOPE"], "team:read");
        let policy = &stack.properties("SkillsPolicy").unwrap()["PolicyDocument"];
        let listed = match prefix {
            "" => json!(null),
            _ => json!({"StringLike": {"s3:prefix": below}}),
        };
        let list = &policy["Statement"][0];
        assert_eq!(list["Action"], "s3:ListBucket");
        assert_eq!(list.get("Condition").unwrap_or(&Value::Null), &listed);
        let objects = &policy["Statement"][1];
        assert_eq!(objects["Action"], "s3:GetObject");
        assert_eq!(objects["Resource"], format!("arn:aws:s3:::team/{below}"));
        assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(2));
    }
    assert_eq!(
        template.deploy(&[]).unwrap().properties("SkillsPolicy"),
        None
    );
    for of_nothing in [("SkillsPrefix", "a"), ("SkillsScope", "a:b")] {
        let refused = template.deploy(&[of_nothing]).unwrap_err();
        assert!(refused[0].contains("SkillsBucket"), "{refused:?}");
    }
}
