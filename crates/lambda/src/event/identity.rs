//! Who called, as the trigger says it in the typed context of `lambda_http`, and from where.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use lambda_http::aws_lambda_events::apigw::ApiGatewayRequestAuthorizer;
use lambda_http::request::RequestContext;
use mcpfn_auth::verified_caller;
use mcpfn_core::text;
use mcpfn_core::{Principal, PrincipalKind, Scopes};
use mcpfn_http::AuthError;
use serde_json::{Map, Value};

/// Where an authorizer of API Gateway puts claims that it verified in `fields`, and which of them
/// names the caller.
const NAMED_BY: [&str; 2] = ["principalId", "sub"];

/// Whether a context is of a trigger that sends HTTP requests. With features that another crate of
/// the program may switch on, `lambda_http` also reads events of WebSocket APIs, of VPC Lattice and
/// of anything at all.
pub(crate) fn is_of_http(context: &RequestContext) -> bool {
    matches!(
        context,
        RequestContext::ApiGatewayV1(_) | RequestContext::ApiGatewayV2(_) | RequestContext::Alb(_)
    )
}

/// The stage of an API, which may be the first part of its paths.
#[cfg(feature = "tower")]
pub(crate) fn stage(context: &RequestContext) -> Option<&str> {
    match context {
        RequestContext::ApiGatewayV1(context) => context.stage.as_deref(),
        RequestContext::ApiGatewayV2(context) => context.stage.as_deref(),
        _ => None,
    }
}

/// The caller that the trigger recognised. One that IAM recognised has the scopes `default`; the
/// others have those of their claims, and `default` if no claim is about scopes.
///
/// The stronger credential comes first. A caller's name and its scopes come from one object. An
/// HTTP API also lists the scopes that its route accepts (`jwt.scopes`): a token needs only one of
/// them, so that list grants nothing. Load balancers recognise nobody: what they forward in headers
/// can be sent by anyone who reaches the function another way.
///
/// # Errors
/// When the claims are not those of an access token, or name no caller.
pub(crate) fn caller(context: &RequestContext, default: &Scopes) -> Result<Principal, AuthError> {
    if !is_of_http(context) {
        return Ok(Principal::anonymous());
    }
    if let Some(subject) = iam_subject(context) {
        let caller = Principal::new(PrincipalKind::Iam, subject);
        return Ok(caller.with_scopes(default.clone()));
    }
    let Some(authorizer) = context.authorizer() else {
        return Ok(Principal::anonymous());
    };
    match claims(context, authorizer) {
        Some((kind, subject, claims)) => verified_caller(kind, &subject, &claims, default),
        None => Ok(Principal::anonymous()),
    }
}

type Claims = (PrincipalKind, String, Map<String, Value>);

fn claims(context: &RequestContext, authorizer: &ApiGatewayRequestAuthorizer) -> Option<Claims> {
    if let Some(jwt) = &authorizer.jwt {
        let claims = jwt.claims.iter();
        let claims = claims.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        if let Some(found) = named(PrincipalKind::Jwt, "sub", text::members(claims)) {
            return Some(found);
        }
    }
    let fields = || text::members(authorizer.fields.clone().into_iter());
    if !matches!(context, RequestContext::ApiGatewayV1(_)) {
        // only an authorizer of an HTTP API gives a context of its own, by any names
        let mut found = NAMED_BY.iter();
        return found.find_map(|name| named(PrincipalKind::Authorizer, name, fields()));
    }
    let claims = authorizer.fields.get("claims").and_then(Value::as_object);
    claims
        .and_then(|claims| named(PrincipalKind::Jwt, "sub", claims.clone()))
        .or_else(|| named(PrincipalKind::Authorizer, NAMED_BY[0], fields()))
}

/// A subject is one caller within its issuer only, and routes may have authorizers of several: it
/// has the issuer behind it, as that of a token which this server verifies. A `principalId` is the
/// authorizer's own name for the caller.
fn named(kind: PrincipalKind, name: &str, claims: Map<String, Value>) -> Option<Claims> {
    let text = |name: &str| claims.get(name)?.as_str().filter(|text| !text.is_empty());
    let subject = text(name)?;
    let subject = match text("iss").filter(|_| name == "sub") {
        Some(issuer) => format!("{subject}@{issuer}"),
        None => subject.to_owned(),
    };
    Some((kind, subject, claims))
}

/// All users of an identity pool share one role session, so its ARN alone is not one caller.
fn iam_subject(context: &RequestContext) -> Option<String> {
    let (arn, identity) = match context {
        RequestContext::ApiGatewayV1(context) => (
            context.identity.user_arn.as_deref(),
            context.identity.cognito_identity_id.as_deref(),
        ),
        RequestContext::ApiGatewayV2(context) => {
            let iam = context.authorizer.as_ref()?.iam.as_ref()?;
            let identity = iam.cognito_identity.as_ref();
            (
                iam.user_arn.as_deref(),
                identity.and_then(|identity| identity.identity_id.as_deref()),
            )
        }
        _ => (None, None),
    };
    let arn = arn.filter(|arn| !arn.is_empty())?;
    Some(match identity.filter(|identity| !identity.is_empty()) {
        Some(identity) => format!("{arn}#{identity}"),
        None => arn.to_owned(),
    })
}

/// Where the call came from. A load balancer adds the address to what the client wrote into the
/// header; the other triggers name it.
pub(crate) fn address(context: &RequestContext, headers: &HeaderMap) -> Option<IpAddr> {
    let text = match context {
        RequestContext::ApiGatewayV1(context) => context.identity.source_ip.as_deref(),
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_deref(),
        RequestContext::Alb(_) => {
            let last = headers.get_all("x-forwarded-for").iter().next_back()?;
            last.to_str().ok()?.rsplit(',').next()
        }
        _ => None,
    };
    read_address(text?)
}

/// An address as load balancers write it, which may have a port.
fn read_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|both| both.ip()))
}
