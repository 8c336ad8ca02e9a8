//! Whether the environment asks for spans, and asks for them in a way that can be had. What the SDK
//! reads by itself is not here.

/// Whether there is a collector.
///
/// # Errors
/// When it wants another protocol than the one that there is.
pub(super) fn wanted(variable: impl Fn(&str) -> Option<String>) -> Result<bool, String> {
    let set = |name: &str| {
        variable(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let collector = [
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ]
    .into_iter()
    .any(|name| set(name).is_some());
    let disabled = set("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if !collector
        || disabled
        || set("OTEL_TRACES_EXPORTER").is_some_and(|exporter| exporter == "none")
    {
        return Ok(false);
    }
    // the one of traces counts before the one of everything
    let protocol = [
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ]
    .into_iter()
    .find_map(|name| Some((name, set(name)?)))
    .filter(|(_, protocol)| protocol != "http/protobuf");
    match protocol {
        None => Ok(true),
        Some((name, _)) => Err(format!(
            "{name} must be http/protobuf, the one protocol in which this program sends spans (collectors take it at port 4318); \
             or unset it"
        )),
    }
}
