//! Which trigger sent an event, and what it takes in return. By what no operator can change: an API
//! on a domain of its own has events that differ from a function URL's in that domain alone.

use lambda_http::request::RequestContext;

/// The most bytes of a document that Lambda takes from a function that does not stream. An API
/// Gateway would take 10 MB.
const LAMBDA: usize = 6 * 1024 * 1024;

/// The most bytes of a document that a load balancer takes.
const LOAD_BALANCER: usize = 1_000_000;

/// What sends events that are HTTP requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// A function URL.
    FunctionUrl,
    /// An HTTP API, of either payload version; and whatever is not known.
    HttpApi,
    /// A REST API.
    RestApi,
    /// An Application Load Balancer.
    LoadBalancer,
}

impl Trigger {
    /// By an event's `version`, the domain that was asked, and its typed context.
    pub(super) fn of(
        version: Option<&str>,
        domain: Option<&str>,
        context: &RequestContext,
    ) -> Self {
        match context {
            RequestContext::Alb(_) => Self::LoadBalancer,
            RequestContext::ApiGatewayV2(_)
                if version == Some("2.0") && domain.is_some_and(is_function_url) =>
            {
                Self::FunctionUrl
            }
            // of the triggers of API Gateway, this one alone gives its events no version
            RequestContext::ApiGatewayV1(context)
                if version.is_none() && context.resource_path.is_some() =>
            {
                Self::RestApi
            }
            _ => Self::HttpApi,
        }
    }

    /// Whether it can take a streamed answer, if it is configured so.
    pub(crate) const fn takes_streams(self) -> bool {
        matches!(self, Self::FunctionUrl | Self::RestApi)
    }

    /// The most bytes of an answer that is one document.
    pub(crate) const fn max_document(self) -> usize {
        match self {
            Self::LoadBalancer => LOAD_BALANCER,
            Self::FunctionUrl | Self::HttpApi | Self::RestApi => LAMBDA,
        }
    }

    /// Whether a body in Base64 reaches the client decoded. A REST API does so for media types that
    /// an operator lists, and others get the Base64.
    pub(crate) const fn decodes_base64(self) -> bool {
        !matches!(self, Self::RestApi)
    }
}

/// Nobody but AWS can have a name below `on.aws`. `cargo lambda watch`, which plays a function URL,
/// says `localhost`, which is no domain that an API can have.
fn is_function_url(domain: &str) -> bool {
    (domain.ends_with(".on.aws") && domain.contains(".lambda-url.")) || domain == "localhost"
}
