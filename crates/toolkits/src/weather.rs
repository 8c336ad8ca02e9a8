//! The present weather of a city, from an API like OpenWeatherMap's. No forecast, no history.
//!
//! | variable | what |
//! |---|---|
//! | `MCPFN_WEATHER_API_KEY` | the API key; required |
//! | `MCPFN_WEATHER_URL` | another address than `https://api.openweathermap.org` |

use mcpfn_core::text::percent_encoded;
use mcpfn_core::{Builder, Cx, ToolError, input, output, text, tool};
use mcpfn_ports::Secret;
use serde::Deserialize;

use crate::api::ApiClient;
use crate::config::Config;

const KEY: &str = "MCPFN_WEATHER_API_KEY";
const URL: &str = "https://api.openweathermap.org";

/// The longest name of a city that is looked up, in characters.
const MAX_CITY_LENGTH: usize = 50;

struct Weather(ApiClient);

/// Adds `get_weather` with the scope `weather:read`, over the API at `url` (without a slash at its
/// end).
pub fn toolkit(builder: Builder, url: impl Into<String>, key: Secret) -> Builder {
    let api = ApiClient {
        name: "The weather service",
        base: url.into(),
        key: Some(key),
        key_variable: KEY,
        max_body: 64 * 1024,
    };
    builder.state(Weather(api)).tool(get_weather).advice(
        ["get_weather"],
        "`get_weather` knows the weather now: no forecast, no history.",
    )
}

pub(crate) fn configured(builder: Builder, config: &mut Config<'_>) -> Builder {
    let key = config.required_secret(
        KEY,
        "weather",
        "get a key at https://home.openweathermap.org/api_keys",
    );
    let url = config.url_for("MCPFN_WEATHER_URL", URL, KEY);
    match key {
        Some(key) => toolkit(builder, url, key),
        None => builder,
    }
}

/// Where.
#[input]
#[derive(Debug)]
pub struct City {
    /// The name of a city in any language, e.g. "Lisbon", "São Paulo" or "東京". Only the name: no
    /// country, no street.
    #[schemars(length(min = 1, max = 50))]
    pub city: String,
}

/// The weather now.
#[output]
#[derive(Debug)]
pub struct WeatherReport {
    /// The city that was found, as the service calls it.
    pub city: String,
    /// Its country, as an ISO 3166 code of two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Temperature in °C.
    pub temperature_celsius: f64,
    /// What the temperature feels like, in °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feels_like_celsius: Option<f64>,
    /// The sky in a few words, such as "light rain".
    pub description: String,
    /// Relative humidity in percent.
    pub humidity_percent: f64,
}

/// Get the present weather of a city: temperature in °C, description and humidity.
///
/// Use this when the user asks what the weather is like somewhere now. It knows no forecast and no
/// history. The answer is at most ten minutes old, or says how old it is; check `city` and `country` in it, because many
/// places share a name.
#[tool(
    read_only,
    idempotent,
    scope = "weather:read",
    title = "Present weather",
    cache = "10m",
    cache_stale_if_error = "1h",
    cache_public
)]
pub async fn get_weather(args: City, cx: &Cx) -> Result<WeatherReport, ToolError> {
    let city = city(&args.city)?;
    let Weather(api) = cx.state()?;
    let api = &*api.ready(cx).await?;
    let key = api.key.as_ref().map(Secret::expose).unwrap_or_default();
    let path = format!(
        "/data/2.5/weather?q={}&units=metric&appid={}",
        percent_encoded(city),
        percent_encoded(key)
    );
    let answer = api.read(cx, api.get(&path)).await?;
    // 400 is what a name gets that has nothing to look up in it
    if matches!(answer.status, 400 | 404) {
        let sentence = format!(
            "There is no city {} in the weather service. Check the spelling, or name a larger city \
             nearby.",
            text::quoted(city)
        );
        return Err(ToolError::not_found(sentence));
    }
    let found: WeatherReply = api.json(&answer)?;
    let description = found.weather.into_iter().next().map(|sky| sky.description);
    Ok(WeatherReport {
        city: found.name,
        country: found.sys.country,
        temperature_celsius: found.main.temp,
        feels_like_celsius: found.main.feels_like,
        description: description.unwrap_or_else(|| "not said".to_owned()),
        humidity_percent: found.main.humidity,
    })
}

/// The part of the service's answer that is used.
#[derive(Deserialize)]
struct WeatherReply {
    name: String,
    main: Measured,
    #[serde(default)]
    weather: Vec<Sky>,
    #[serde(default)]
    sys: WeatherPlace,
}

#[derive(Deserialize)]
struct Measured {
    temp: f64,
    feels_like: Option<f64>,
    humidity: f64,
}

#[derive(Deserialize)]
struct Sky {
    description: String,
}

#[derive(Deserialize, Default)]
struct WeatherPlace {
    country: Option<String>,
}

/// The name without the spaces around it, if it can be one.
fn city(name: &str) -> Result<&str, ToolError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(ToolError::new(
            "`city` is empty. Name a city, e.g. \"Lisbon\".",
        ));
    }
    if name.chars().count() > MAX_CITY_LENGTH {
        return Err(ToolError::new(format!(
            "`city` is longer than {MAX_CITY_LENGTH} characters. Name only the city, e.g. \"Lisbon\"."
        )));
    }
    let legal = |character: char| {
        character.is_alphabetic() || is_mark(character) || " -.'’".contains(character)
    };
    if !name.chars().all(legal) || !name.chars().any(char::is_alphabetic) {
        return Err(ToolError::new(format!(
            "{} is not a city name: it may have letters of any script, spaces, hyphens, dots and \
             apostrophes, e.g. \"Lisbon\".",
            text::quoted(name)
        )));
    }
    Ok(name)
}

/// What Unicode writes on or between letters without calling it alphabetic: accents, points,
/// viramas, tone marks.
fn is_mark(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{487}' | '\u{591}'..='\u{5bd}' | '\u{5bf}'..='\u{5c7}' | '\u{64b}'..='\u{65f}'
        | '\u{dca}' | '\u{e47}'..='\u{e4e}' | '\u{ec8}'..='\u{ece}' | '\u{f39}' | '\u{f84}' | '\u{1037}'..='\u{103a}'
        | '\u{17c9}'..='\u{17d3}' | '\u{3099}' | '\u{309a}')
        // the scripts of India have their nukta and virama at the same places of their blocks
        || (matches!(character, '\u{900}'..='\u{d7f}') && matches!(u32::from(character) % 0x80, 0x3c | 0x4d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cities() {
        let names = [
            "Lisbon",
            "São Paulo",
            "Sa\u{303}o Paulo",
            "St. John's",
            "Xi’an",
            "Aix-en-Provence",
            "東京",
            "Москва",
            "القاهرة",
            "दिल्ली",
            "मुंबई",
            "กรุงเทพฯ",
            "চট্টগ্রাম",
            "தஞ்சாவூர்",
            "Θεσσαλονίκη",
            "ירושלים",
            "서울",
            "ရန်ကုန်",
            "ភ្នំពេញ",
            "Łódź",
            "Å",
        ];
        for name in names {
            assert!(city(name).is_ok(), "{name}");
        }
        assert_eq!(city("  Lisbon ").unwrap(), "Lisbon");
        assert!(city(&"ü".repeat(50)).is_ok());
    }

    #[test]
    fn what_is_no_name_of_a_city() {
        let long = "x".repeat(51);
        let others = [
            "",
            "   ",
            "-",
            "...",
            "'",
            "Paris, FR",
            "London&appid=x",
            "a/b",
            "a?b",
            "a#b",
            "Lon\ndon",
            "Lon\u{202e}don",
            "<b>",
            "90210",
            "٣",
            "Rome😀",
            "a\0b",
            "a;b",
            "\"",
            &long,
        ];
        for name in others {
            assert!(city(name).is_err(), "{name:?}");
        }
    }
}
