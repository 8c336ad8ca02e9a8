//! What becomes of proofs: signed tokens, opaque ones, keys, assertions of Cloudflare Access.
//! Through the authenticators; what HTTP makes of it is tested with the service.

mod access;
mod access_http;
mod api_keys;
mod cognito; // tokens with a client and no audience
mod introspection;
mod introspection_load;
mod issuer;
mod issuer_scopes;
mod random;
mod refusals;
mod removed_keys;
mod settings;
mod step_up;
mod world;
