//! What a program may give to be served, from a value to a function of the host's variables. Which
//! host that is does not matter here.

use std::convert::Infallible;
use std::fmt::Display;

use mcpfn_core::{Builder, port::Platform};

use crate::of_target::{Setup, Variables};

/// What [`main!`](crate::main!) and [`run`](crate::run) serve: a [`Builder`], or a function that
/// gives one, of nothing or of the host's [`Variables`]. In place of a `Builder` there may be a
/// [`Setup`], which also has ports, and a `Result` of either.
///
/// ```
/// use mcpfn::prelude::*;
///
/// struct Api {
///     key: Secret,
/// }
///
/// #[input]
/// struct Where {
///     /// The city's name.
///     city: String,
/// }
///
/// /// Tomorrow's weather.
/// #[tool(read_only)]
/// async fn forecast(args: Where, cx: &Cx) -> Result<String, ToolError> {
///     let key = cx.state::<Api>()?.key.read(cx).await?;
///     // .. a request with `key` ..
///     # drop(key);
///     Ok(format!("{}: sunny", args.city))
/// }
///
/// fn server(variables: &Variables) -> Result<Builder, String> {
///     let api = Api { key: variables.secret("WEATHER_API_KEY")? };
///     Ok(Server::builder("weather", "1.0.0").tool(forecast).state(api))
/// }
///
/// mcpfn::main!(server);
/// ```
///
/// `Shape` tells the compiler which of these it is, and is never written.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that mcpfn can serve",
    label = "expected a Builder, or a function that gives one",
    note = "write `fn server() -> Builder`, or `fn server(variables: &Variables) -> Result<Builder, String>`"
)]
pub trait Serve<Shape> {
    /// Adds the ports of the server.
    type Ports: FnOnce(Platform) -> Platform;
    /// Why it can't be set up.
    type Error: Display;

    /// Sets the server up, once, at the start of a process or of an isolate.
    ///
    /// # Errors
    /// What the program found wrong with the variables.
    fn set_up(self, variables: &Variables) -> Result<Setup<Self::Ports>, Self::Error>;
}

/// What is served as it is.
#[derive(Debug)]
pub struct Ready;

impl Serve<Ready> for Builder {
    type Ports = fn(Platform) -> Platform;
    type Error = Infallible;

    fn set_up(self, _: &Variables) -> Result<Setup<Self::Ports>, Infallible> {
        Ok(Setup {
            builder: self,
            ports: |platform| platform,
        })
    }
}

impl<P: FnOnce(Platform) -> Platform> Serve<Ready> for Setup<P> {
    type Ports = P;
    type Error = Infallible;

    fn set_up(self, _: &Variables) -> Result<Self, Infallible> {
        Ok(self)
    }
}

impl<S: Serve<Ready>, E: Display> Serve<Ready> for Result<S, E> {
    type Ports = S::Ports;
    type Error = String;

    fn set_up(self, variables: &Variables) -> Result<Setup<S::Ports>, String> {
        self.map_err(|error| error.to_string())?
            .set_up(variables)
            .map_err(|error| error.to_string())
    }
}

impl<F: FnOnce() -> S, S: Serve<Ready>> Serve<()> for F {
    type Ports = S::Ports;
    type Error = S::Error;

    fn set_up(self, variables: &Variables) -> Result<Setup<S::Ports>, S::Error> {
        self().set_up(variables)
    }
}

impl<F: FnOnce(&Variables) -> S, S: Serve<Ready>> Serve<(&Variables,)> for F {
    type Ports = S::Ports;
    type Error = S::Error;

    fn set_up(self, variables: &Variables) -> Result<Setup<S::Ports>, S::Error> {
        self(variables).set_up(variables)
    }
}
