//! Companies by e-mail.

use serde_json::json;

use crate::host::{Client, SECRETS};
use crate::internet::Internet;
use crate::service::{Says, Service};

fn client(url: &str) -> Client {
    let variables = [
        ("MCPFN_COMPANY_URL", url),
        ("MCPFN_COMPANY_API_KEY", SECRETS[1]),
    ];
    Client::new("company", &variables, Internet::new())
}

#[tokio::test]
async fn the_company_behind_an_address() {
    let body = json!({"organization": {
        "id": "5e66b6381e05b4008c8331b8", "name": "Apollo.io", "website_url": "http://www.apollo.io", "linkedin_url": "http://www.linkedin.com/company/apolloio",
        "primary_domain": "apollo.io", "industry": "information technology & \
            services", "estimated_num_employees": 1600, "founded_year": 2015,
        "city": "San Francisco", "state": "California", "country": "United States", "annual_revenue": 100000000.0, "annual_revenue_printed": "100M",
        "short_description": "Sales intelligence.", "keywords": ["sales"], "technology_names": ["x"], "suborganizations": []
    }});
    let service = Service::saying(Says::json(200, &body)).await;
    let found = client(&service.url())
        .call(
            "lookup_company",
            json!({"email": "Ada.Lovelace+x@Apollo.IO"}),
        )
        .await
        .unwrap();
    let expected = json!({
        "company": "Apollo.io", "domain": "apollo.io", "employees": 1600, "industry": "information \
            technology & services", "founded": 2015,
        "location": "San Francisco, California, United \
            States", "revenue": "100M", "website": "http://www.apollo.io",
        "linkedin": "http://www.linkedin.com/company/apolloio", "description": "Sales intelligence."
    });
    assert_eq!(found, expected);
    let asked = service.asked().remove(0);
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("GET", "/api/v1/organizations/enrich?domain=apollo.io"),
        "the person stays here"
    );
    assert_eq!(asked.header("x-api-key"), Some(SECRETS[1]));
}

#[tokio::test]
async fn companies_that_nobody_knows() {
    for says in [
        Says::json(200, &json!({})),
        Says::json(200, &json!({"organization": null})),
        Says::json(422, &json!({"error": "Invalid domain"})),
        Says::new(404, ""),
    ] {
        let service = Service::saying(says).await;
        let refused = client(&service.url())
            .call("lookup_company", json!({"email": "ada@nobody.example"}))
            .await
            .unwrap_err();
        assert_eq!(
            refused,
            "The directory knows no company with the domain `nobody.example`."
        );
    }
}

#[tokio::test]
async fn what_is_refused_costs_nothing() {
    let service = Service::saying(Says::new(500, "")).await;
    let client = client(&service.url());
    for (email, sentence) in [
        ("not an address", "is not an e-mail address"),
        ("ada@localhost", "is not an e-mail address"),
        ("ada@gmail.com", "gmail.com is a mail provider"),
    ] {
        let refused = client
            .call("lookup_company", json!({"email": email}))
            .await
            .unwrap_err();
        assert!(refused.contains(sentence), "{refused}");
    }
    assert_eq!(service.asked().len(), 0);
}

#[tokio::test]
async fn outages_are_told_apart() {
    for (says, logged, said) in [
        (
            Says::json(401, &json!({"error": format!("bad key {}", SECRETS[1])})),
            "status 401 (the key in MCPFN_COMPANY_API_KEY",
            "rejected this server's credentials. Tell the user",
        ),
        (
            Says::json(
                403,
                &json!({"error": "api/v1/organizations/enrich is not accessible with this \
                    api_key", "error_code": "API_INACCESSIBLE"}),
            ),
            "status 403",
            "rejected this server's credentials. Tell the user",
        ),
        (
            Says::new(500, format!("at {}", SECRETS[1])),
            "status 500: `at [key]`",
            "answered that it failed. Try again in a few minutes.",
        ),
        (
            Says::new(200, "nonsense"),
            "not the JSON",
            "gave an answer that can't be read. Try again in a few minutes.",
        ),
    ] {
        let service = Service::saying(says).await;
        let client = client(&service.url());
        let refused = client
            .call("lookup_company", json!({"email": "ada@example.com"}))
            .await
            .unwrap_err();
        assert!(
            refused.starts_with(&format!("The company directory {said}")),
            "{refused}"
        );
        assert!(client.logged().contains(logged), "{}", client.logged());
    }
    let service = Service::saying(
        Says::json(
            429,
            &json!({"message": "The maximum number of api calls allowed for \
                api/v1/organizations/enrich is 50 times per minute."}),
        )
        .header("retry-after", "42"),
    )
    .await;
    let refused = client(&service.url())
        .call("lookup_company", json!({"email": "ada@example.com"}))
        .await
        .unwrap_err();
    assert!(refused.contains("for the next 42 seconds"), "{refused}");
}
