"""A server of FastMCP 4.x or of the Python SDK 2.x for another server to front, and for `cargo mcpfn connect`. Prints
`listening on URL`.

    python server.py fastmcp|sdk
"""

import asyncio
import socket
import sys

import uvicorn

if sys.argv[1:] == ["sdk"]:
    from mcp.server.mcpserver import Context, MCPServer

    notes = MCPServer("notes", version="1.0.0")
    application = notes.streamable_http_app
else:
    from fastmcp import Context, FastMCP

    notes = FastMCP("notes", version="1.0.0")
    application = notes.http_app


@notes.tool()
def add(a: float, b: float) -> float:
    """Adds."""
    return a + b


@notes.tool()
async def work(context: Context) -> str:
    """Works in three steps."""
    for step in (1, 2, 3):
        await context.report_progress(step, 3, f"step {step}")
    return "done"


@notes.tool()
def fail() -> str:
    """Fails."""
    raise ValueError("it never works")


@notes.resource("note://1", mime_type="text/plain")
def one() -> str:
    return "the first note"


@notes.resource("note://by/{author}")
def by(author: str) -> str:
    return f"by {author}"


@notes.prompt()
def review(note: str) -> str:
    return f"Review {note}"


async def main():
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application(stateless_http=True), log_level="warning")
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


asyncio.run(main())
