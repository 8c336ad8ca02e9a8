//! A key for another service, from wherever the host keeps such things: a variable or a file on this
//! machine, the function's environment or a store of AWS on Lambda, a secret of a Worker.
//!
//! ```sh
//! WEATHER_API_KEY=abc cargo run -p mcpfn-examples --example secret -- call forecast '{"city": "Oslo"}'
//! ```

use mcpfn::port::HttpRequest;
use mcpfn::prelude::*;

/// What the operator decides, as state.
struct WeatherApi {
    url: String,
    key: Secret,
}

#[input]
struct Where {
    /// The city's name.
    #[schemars(length(min = 1, max = 100))]
    city: String,
}

/// Tomorrow's weather.
#[tool(read_only)]
async fn forecast(args: Where, cx: &Cx) -> Result<String, ToolError> {
    let api = cx.state::<WeatherApi>()?;
    // read for each call, because the store that keeps it may get a new one
    let key = api.key.read(cx).await?;
    let mut request = HttpRequest::get(format!("{}/forecast", api.url));
    let header = |name: &str, value: String| (name.to_owned(), value);
    request.headers = vec![
        header("authorization", format!("Bearer {key}")),
        header("x-city", args.city),
    ];
    match cx.fetch(request).await? {
        Ok(answer) if answer.status == 200 => {
            Ok(String::from_utf8_lossy(&answer.body).into_owned())
        }
        Ok(answer) => Err(ToolError::unavailable(
            "there is no forecast now; try later",
            format!("the weather service answered with status {}", answer.status),
        )),
        Err(error) => Err(ToolError::unavailable(
            "there is no forecast now; try later",
            error,
        )),
    }
}

/// Asked once at the start, with the variables of whatever host this is.
pub(crate) fn server(variables: &Variables) -> Result<Builder, String> {
    let url = variables.text("WEATHER_URL");
    let api = WeatherApi {
        url: url.unwrap_or_else(|| "https://weather.example.com".to_owned()),
        key: variables.secret("WEATHER_API_KEY")?,
    };
    Ok(Server::builder("weather", "1.0.0")
        .tool(forecast)
        .state(api))
}

mcpfn::main!(server);
