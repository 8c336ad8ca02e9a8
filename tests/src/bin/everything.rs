//! The fixture server as a process, over HTTP or stdio, with events. `TEST_ROOT` names the certificate of a receiver of them, and
//! `TEST_PUBLIC_HOST` the one that counts as a host of the public internet.

use mcpfn::port::Platform;
use mcpfn::{Setup, Variables};
use mcpfn_it::events;

fn server(variables: &Variables) -> Setup<impl FnOnce(Platform) -> Platform + use<>> {
    let (root, host) = (
        variables.text("TEST_ROOT"),
        variables.text("TEST_PUBLIC_HOST"),
    );
    Setup {
        builder: mcpfn_it::everything_with_events(),
        ports: |platform: Platform| events::with_receiver(platform, root, host),
    }
}

mcpfn::main!(server);
