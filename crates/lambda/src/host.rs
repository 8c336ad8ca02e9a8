//! One invocation: event in, answer out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lambda_runtime::{Diagnostic, LambdaInvocation};
use mcpfn_auth::IamScopes;
use mcpfn_core::{Principal, PrincipalKind, Scopes, port::Platform};
use mcpfn_http::{Deadline, Service};
use mcpfn_native::Process;
use mcpfn_settings::{AuthMethod, AuthMethods};

use crate::api::{Api, Delivery, Invocation};
use crate::event::TriggerEvent;
use crate::logging::{InvocationId, trace_root};
use crate::response::{Shape, StreamPrelude, buffered};
use crate::settings::Mode;

/// The longest that any function may run, in milliseconds.
const MAX_DURATION: u64 = 900_000;

/// What every invocation of this execution environment shares.
pub(crate) struct LambdaHost {
    pub(crate) api: Api,
    pub(crate) service: Service,
    pub(crate) platform: Arc<Platform>,
    pub(crate) process: Process,
    pub(crate) methods: AuthMethods,
    /// What callers may do whom IAM recognised; the default scopes without it.
    pub(crate) iam: Option<IamScopes>,
    /// Of callers whose credential is not about scopes.
    pub(crate) default_scopes: Scopes,
    pub(crate) mode: Mode,
    pub(crate) base_path: String,
    pub(crate) margin_ms: u64,
    /// Whether no event has come yet to an environment that was made for one.
    pub(crate) cold: AtomicBool,
}

impl LambdaHost {
    /// Answers one event to its end: a stream is over when this is.
    pub(crate) async fn invoke(self: Arc<Self>, invocation: LambdaInvocation) {
        let LambdaInvocation {
            parts,
            body,
            context,
        } = invocation;
        let named = InvocationId {
            request_id: context.request_id.clone(),
            trace_id: context.xray_trace_id.as_deref().and_then(trace_root),
            cold_start: self.cold.swap(false, Ordering::Relaxed),
        };
        let now = self.platform.now_ms();
        // one that has passed is no platform's: `cargo lambda watch` says 1970
        let deadline_ms = if context.deadline > now {
            context.deadline
        } else {
            now + MAX_DURATION
        };
        let host = Arc::clone(&self);
        // a task of its own, so that an unforeseen panic costs one answer and not the process
        let work = async move {
            host.outcome(&body, deadline_ms)
                .await
                .unwrap_or_else(Delivery::Failed)
        };
        let task = named.clone();
        let outcome = tokio::spawn(async move { task.scope(work).await }).await;
        let outcome = outcome.unwrap_or_else(|_| {
            Delivery::Failed("the function panicked; its log says where".into())
        });
        // a streamed answer works on while it is sent
        let sent = self.api.send(
            Invocation {
                request_id: &context.request_id,
                headers: &parts.headers,
            },
            outcome,
        );
        if let Err(error) = named.scope(sent).await {
            named.during(|| {
                tracing::error!(
                    event = "answer_lost",
                    error,
                    "an answer did not reach the Lambda runtime API"
                );
            });
        }
        self.drain(&named, deadline_ms).await;
    }

    /// Waits for work after the answer: the environment is frozen once the next event is asked for.
    /// The client has its answer.
    async fn drain(&self, named: &InvocationId, deadline_ms: u64) {
        let left = deadline_ms
            .saturating_sub(self.platform.now_ms())
            .saturating_sub(self.margin_ms);
        let after = named.scope(self.process.drain());
        if tokio::time::timeout(Duration::from_millis(left), after)
            .await
            .is_err()
        {
            named.during(|| {
                tracing::warn!(
                    event = "work_unfinished",
                    "work after the answer was not done in the function's time"
                );
            });
        }
    }

    /// The caller, and where it called from. Claims that are not of an access token leave it
    /// anonymous; the log says why.
    fn principal(&self, event: &TriggerEvent) -> Principal {
        let principal = match event.caller(&self.default_scopes) {
            Ok(caller) => believed(caller, &self.methods, self.iam.as_ref()),
            Err(denied) => {
                let log = self.platform.audit_log();
                log.denied(&denied.message, denied.cause.as_deref());
                Principal::anonymous()
            }
        };
        match event.address() {
            Some(address) => principal.at(address),
            None => principal,
        }
    }

    async fn outcome(&self, event: &[u8], deadline: u64) -> Result<Delivery, Diagnostic> {
        let event = TriggerEvent::read(event)?;
        let streams = self.mode == Mode::Stream && event.trigger().takes_streams();
        let shape = Shape {
            multi_value_headers: event.has_multi_value_headers(),
            trigger: event.trigger(),
        };
        let principal = self.principal(&event);
        let mut request = event.into_request(&self.base_path);
        request.extensions_mut().insert(principal);
        request
            .extensions_mut()
            .insert(Deadline(deadline.saturating_sub(self.margin_ms)));
        let response = self.service.call(request, &self.platform).await;
        Ok(if streams {
            Delivery::Streamed(StreamPrelude::new(response))
        } else {
            Delivery::Buffered(buffered(response, shape).await)
        })
    }
}

/// The caller, if it was authenticated by a method that the operator configured; with the scopes
/// that the operator gives it.
fn believed(principal: Principal, methods: &AuthMethods, iam: Option<&IamScopes>) -> Principal {
    let by_iam = principal.kind == PrincipalKind::Iam;
    // an authorizer in front may require signatures, too
    let wanted = methods.has(AuthMethod::Authorizer) || (by_iam && methods.has(AuthMethod::Iam));
    if methods.has(AuthMethod::None) && principal.kind != PrincipalKind::Anonymous {
        // who signs a request must not be able to do less than who doesn't
        return principal.with_scopes(Scopes::all());
    }
    if !wanted {
        return principal.into_anonymous();
    }
    match iam.filter(|_| by_iam) {
        Some(map) => {
            let scopes = map.scopes(&principal.subject);
            principal.with_scopes(scopes)
        }
        None => principal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_counts_where_it_is_asked_for() {
        let alice = Principal::new(PrincipalKind::Iam, "arn:aws:iam::123456789012:user/alice")
            .at([203, 0, 113, 7].into());
        let token =
            Principal::new(PrincipalKind::Jwt, "user-1").with_scopes(Scopes::parse("crm:read"));
        for (methods, iam, jwt) in [
            (vec![AuthMethod::Iam], true, false),
            (vec![AuthMethod::Authorizer], true, true),
            (vec![AuthMethod::ApiKey, AuthMethod::OAuth], false, false),
            (vec![AuthMethod::Iam, AuthMethod::ApiKey], true, false),
            (vec![AuthMethod::None], true, true),
        ] {
            let methods = AuthMethods::of(methods);
            for (principal, counts) in [(&alice, iam), (&token, jwt)] {
                let believed = believed(principal.clone(), &methods, None);
                assert_eq!(believed.address, principal.address, "{methods:?}");
                let scopes = if methods.has(AuthMethod::None) {
                    Scopes::all()
                } else {
                    principal.scopes.clone()
                };
                let expected = principal.clone().with_scopes(scopes);
                assert_eq!(believed == expected, counts, "{methods:?}");
                assert_eq!(
                    believed.kind == PrincipalKind::Anonymous,
                    !counts,
                    "{methods:?}"
                );
            }
        }
    }

    #[test]
    fn iam_callers_have_the_scopes_of_the_map() {
        let map: IamScopes = "arn:aws:iam::123456789012:role/Reader*=catalog:read; \
            arn:aws:iam::123456789012:user/*=crm"
            .parse()
            .unwrap();
        let scopes = |arn: &str| {
            believed(
                Principal::new(PrincipalKind::Iam, arn),
                &AuthMethods::of([AuthMethod::Iam]),
                Some(&map),
            )
            .scopes
        };
        assert_eq!(
            scopes("arn:aws:sts::123456789012:assumed-role/ReaderOne/session"),
            Scopes::parse("catalog:read")
        );
        assert_eq!(
            scopes("arn:aws:iam::123456789012:user/alice"),
            Scopes::parse("crm")
        );
        assert_eq!(
            scopes("arn:aws:sts::999999999999:assumed-role/ReaderOne/session"),
            Scopes::none()
        );
    }
}
