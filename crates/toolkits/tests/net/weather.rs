//! The weather, and attempts, limits and budgets, which all services share.

use std::time::Instant;

use serde_json::{Value, json};

use crate::host::{Client, SECRETS};
use crate::internet::Internet;
use crate::service::{Says, Service};

const REJECTED: &str = "The weather service rejected this server's credentials. Tell the user: the \
                        operator of this server has to fix that, and trying again does not help.";

fn client(url: &str) -> Client {
    let variables = [
        ("MCPFN_WEATHER_URL", url),
        ("MCPFN_WEATHER_API_KEY", SECRETS[0]),
    ];
    Client::new("weather", &variables, Internet::new())
}

/// As the documentation of the real API shows it.
fn berlin() -> Says {
    let body = json!({
        "coord": {"lon": 13.39, "lat": 52.52}, "weather": [{"id": 500, "main": "Rain", "description": "light rain", "icon": "10d"}],
        "base": "stations", "main": {"temp": 8.49, "feels_like": 6.1, "pressure": 1035, "humidity": 61, "temp_min": 8, "temp_max": 9},
        "visibility": 10000, "wind": {"speed": 6.7, "deg": 120}, "clouds": {"all": 0}, "dt": 1542369000,
        "sys": {"type": 1, "id": 4892, "country": "DE", "sunrise": 1542349837, "sunset": 1542381079}, "id": 2950159, "name": "Berlin", "cod": 200
    });
    Says::json(200, &body)
}

async fn ask(client: &Client) -> Result<Value, String> {
    client.call("get_weather", json!({"city": "Berlin"})).await
}

#[tokio::test]
async fn the_weather_of_a_city() {
    let service = Service::saying(berlin()).await;
    let client = client(&service.url());
    let expected = json!({
        "city": "Berlin", "country": "DE", "temperature_celsius": 8.49, "feels_like_celsius": 6.1,
        "description": "light rain", "humidity_percent": 61.0
    });
    assert_eq!(
        client
            .call("get_weather", json!({"city": "  São Paulo "}))
            .await
            .unwrap(),
        expected
    );
    let asked = service.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].path,
        format!(
            "/data/2.5/weather?q=S%C3%A3o%20Paulo&units=metric&appid={}",
            SECRETS[0]
        )
    );
    assert!(asked[0].header("user-agent").unwrap().starts_with("mcpfn/"));
}

#[tokio::test]
async fn a_city_that_is_none() {
    let service = Service::saying(Says::json(
        404,
        &json!({"cod": "404", "message": "city not found"}),
    ))
    .await;
    let client = client(&service.url());
    let refused = client
        .call("get_weather", json!({"city": "Atlantis"}))
        .await
        .unwrap_err();
    assert_eq!(
        refused,
        "There is no city `Atlantis` in the weather service. Check the spelling, or name a larger \
         city nearby."
    );
    let refused = client
        .call("get_weather", json!({"city": "London&appid=x"}))
        .await
        .unwrap_err();
    assert!(
        refused.contains("is not a city name: it may have letters"),
        "{refused}"
    );
    let refused = client
        .call("get_weather", json!({"city": "x".repeat(51)}))
        .await
        .unwrap_err();
    assert!(refused.contains("50"), "{refused}");
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn a_refused_key_is_the_operators_business() {
    // a service that repeats what it was given
    let service = Service::start(|asked| {
        Says::json(
            401,
            &json!({"cod": 401, "message": format!("Invalid API key in {}", asked.path)}),
        )
    })
    .await;
    let client = client(&service.url());
    assert_eq!(
        ask(&client)
            .await
            .unwrap_err()
            .split(" (error")
            .next()
            .unwrap(),
        REJECTED
    );
    let logged = client.logged();
    assert!(
        logged.contains("status 401") && logged.contains("MCPFN_WEATHER_API_KEY"),
        "{logged}"
    );
    assert_eq!(service.asked().len(), 1, "a refusal does not pass");
}

#[tokio::test]
async fn passing_failures_are_tried_once_more() {
    for status in [500, 502, 503, 504] {
        let service = Service::saying_in_turn(vec![Says::new(status, "oops"), berlin()]).await;
        assert_eq!(
            ask(&client(&service.url())).await.unwrap()["city"],
            "Berlin",
            "{status}"
        );
        assert_eq!(service.asked().len(), 2);
    }
    let service = Service::saying_in_turn(vec![
        Says::new(429, "slow down").header("retry-after", "1"),
        berlin(),
    ])
    .await;
    assert_eq!(
        ask(&client(&service.url())).await.unwrap()["city"],
        "Berlin"
    );
}

#[tokio::test]
async fn failures_that_last() {
    const FAILED: &str = "answered that it failed. Try again in a few minutes.";
    const REFUSED: &str = "does not take this server's request. Tell the user: the operator of \
        this server has to fix that, and trying again does not help.";
    const UNREADABLE: &str = "gave an answer that can't be read. Try again in a few minutes.";
    const LONG: &str = "gave an answer that is too long to be read. Ask for less.";
    for (says, attempts, logged, said) in [
        (
            Says::new(500, "<h1>stack trace at db.internal</h1>"),
            2,
            "status 500: `<h1>stack trace",
            FAILED,
        ),
        (Says::new(503, ""), 2, "status 503", FAILED),
        (Says::new(501, ""), 1, "status 501", FAILED),
        (Says::new(418, ""), 1, "status 418", REFUSED),
        (
            Says::redirect(302, "http://127.0.0.1:1/"),
            1,
            "it redirects",
            REFUSED,
        ),
        (
            Says::new(200, "{\"name\": \"Ber"),
            1,
            "not the JSON that was expected",
            UNREADABLE,
        ),
        (
            Says::new(200, "<html>maintenance</html>"),
            1,
            "not the JSON that was expected",
            UNREADABLE,
        ),
        (
            Says::json(200, &json!({"name": "Berlin"})),
            1,
            "missing field `main`",
            UNREADABLE,
        ),
        (
            Says::json(
                200,
                &json!({"name": "Berlin", "main": {"temp": "x".repeat(50_000)}}),
            ),
            1,
            "invalid type: string",
            UNREADABLE,
        ),
        (
            Says::new(200, "[".repeat(60_000)),
            1,
            "not the JSON that was expected",
            UNREADABLE,
        ),
        (
            Says::new(200, vec![b'1'; 100_000]),
            1,
            "more than 65536 bytes",
            LONG,
        ),
        (Says::endless(), 1, "more than 65536 bytes", LONG),
    ] {
        let service = Service::saying(says.clone()).await;
        let client = client(&service.url());
        assert_eq!(
            ask(&client)
                .await
                .unwrap_err()
                .split(" (error")
                .next()
                .unwrap(),
            format!("The weather service {said}"),
            "{says:?}"
        );
        assert!(
            client.logged().contains(logged),
            "{logged} is not in {}",
            client.logged()
        );
        assert!(client.logged().len() < 500, "{}", client.logged().len());
        assert_eq!(service.asked().len(), attempts, "{says:?}");
    }
}

#[tokio::test]
async fn a_full_budget_says_when_to_come_back() {
    let refused = async |says: Says| {
        let service = Service::saying(says).await;
        let refused = ask(&client(&service.url())).await.unwrap_err();
        (refused, service.asked().len())
    };
    let (sentence, attempts) = refused(Says::new(429, "").header("retry-after", "90")).await;
    assert!(
        sentence.starts_with(
            "The weather service takes no more requests for the \
             next 90 seconds. Try again then."
        ),
        "{sentence}"
    );
    assert_eq!(attempts, 1, "it said not to");
    let (sentence, _) = refused(Says::new(429, "").header("retry-after", "3600")).await;
    assert!(sentence.contains("for the next 60 minutes"), "{sentence}");
    let (sentence, attempts) = refused(Says::new(429, "")).await;
    assert!(
        sentence.contains("takes no more requests for now. Try again in a minute."),
        "{sentence}"
    );
    assert_eq!(attempts, 1);
}

#[tokio::test]
async fn a_silent_service_is_given_up_in_time() {
    let service = Service::saying(Says::silence()).await;
    let client = client(&service.url());
    let started = Instant::now();
    assert_eq!(
        ask(&client)
            .await
            .unwrap_err()
            .split(" (error")
            .next()
            .unwrap(),
        "The weather service did not answer within 5 s. Try again in a few minutes."
    );
    // five seconds on the server's clock
    assert!(
        started.elapsed().as_millis() < 5_000 / 2,
        "{:?}",
        started.elapsed()
    );
    assert!(
        client.logged().contains("no answer in time"),
        "{}",
        client.logged()
    );
    assert_eq!(
        service.asked().len(),
        2,
        "the last third of the time is for a second attempt"
    );

    let slow_once = Service::saying_in_turn(vec![Says::silence(), berlin()]).await;
    assert_eq!(
        ask(&self::client(&slow_once.url())).await.unwrap()["city"],
        "Berlin"
    );
}

#[tokio::test]
async fn a_service_that_is_not_there() {
    let client = client(&Service::closed().await);
    assert_eq!(
        ask(&client)
            .await
            .unwrap_err()
            .split(" (error")
            .next()
            .unwrap(),
        "The weather service can't be reached. Try again in a few minutes."
    );
    assert!(
        client.logged().contains("unreachable"),
        "{}",
        client.logged()
    );
}
