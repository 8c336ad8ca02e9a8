"""Questions that are declined or never answered, and tools that are tasks, as the Python SDK 2.x and FastMCP 4.x meet them in
both eras. Neither does tasks with the packages that are pinned here: both get results within their calls, and a sentence where a
tool can only be a task.

Prints `ok NAME` or `not ok NAME: why`, the lines that `cargo xtask clients` counts.

    python asked.py sdk|fastmcp modern|legacy --url URL
"""

import argparse
import asyncio
import sys

from checks import Checks, need, text_of
from fastmcp import Client as FastMcpClient
from mcp import Client
from mcp_types import ElicitResult

report = Checks()
check = report.check
#: How long a client that loses its patience waits, in seconds; nobody answers it.
PATIENCE = 2


def client_of(kind, era, url, action):
    """A client that answers so: with an action, or not at all."""
    mode = "auto" if era == "modern" else "legacy"

    async def answer(*_):
        if action == "silent":
            await asyncio.Event().wait()
        if action == "accept" and kind == "fastmcp":
            return {"name": "Alice"}
        content = {"name": "Alice"} if action == "accept" else None
        if kind == "fastmcp":
            from fastmcp.client.elicitation import ElicitResult as FastMcpResult

            return FastMcpResult(action=action, content=content)
        return ElicitResult(action=action, content=content)

    if kind == "sdk":
        return Client(url, mode=mode, elicitation_callback=answer)
    return FastMcpClient(url, mode=mode, elicitation_handler=answer)


async def call(kind, client, tool, arguments=None, patience=None):
    arguments = arguments or {}
    if kind == "sdk":
        return await client.call_tool(tool, arguments, read_timeout_seconds=patience)
    return await client.call_tool_mcp(tool, arguments, timeout=patience)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["sdk", "fastmcp"])
    parser.add_argument("era", choices=["modern", "legacy"])
    parser.add_argument("--url", required=True)
    given = parser.parse_args()
    kind, prefix = given.kind, f"{given.kind} {given.era}:"
    # a question in a way that clients of each era have
    question = "test_streaming_elicitation"

    async def answered(action, said):
        async with client_of(kind, given.era, given.url, action) as client:
            result = await call(kind, client, question)
            need(not result.is_error and said in text_of(result), f"it says: {text_of(result)}")

    async def silent():
        async with client_of(kind, given.era, given.url, "silent") as client:
            try:
                result = await asyncio.wait_for(
                    call(kind, client, question, patience=PATIENCE), 5 * PATIENCE
                )
            except Exception as error:
                need("Timeout" in type(error).__name__ or "timed out" in str(error).lower(), f"{error!r}")
            else:
                raise AssertionError(f"a result without an answer: {text_of(result)}")
        # the server has forgotten it: the next one is asked anew
        await answered("accept", "Hello, Alice!")

    async def inline():
        async with client_of(kind, given.era, given.url, "accept") as client:
            result = await call(kind, client, "slow_compute", {"seconds": 0.2, "label": "x"})
            need(text_of(result) == "computed x in 0.2 s", f"it says: {text_of(result)}")
            result = await call(kind, client, "count_slowly", {"to": 2, "step_ms": 10})
            need(text_of(result) == "counted from 0 to 2", f"it says: {text_of(result)}")

    async def required():
        async with client_of(kind, given.era, given.url, "accept") as client:
            try:
                said = text_of(await call(kind, client, "failing_job"))
            except Exception as error:
                said = str(error)
            need("io.modelcontextprotocol/tasks" in said, f"it says: {said}")

    await check(f"{prefix} a question is answered", lambda: answered("accept", "Hello, Alice!"))
    await check(f"{prefix} a question is declined", lambda: answered("decline", "stranger"))
    await check(f"{prefix} a question is closed", lambda: answered("cancel", "stranger"))
    await check(f"{prefix} a question that nobody answers is given up", silent)
    await check(f"{prefix} a tool that can be a task has its result within the call", inline)
    await check(f"{prefix} a tool that is only a task says what the client lacks", required)
    sys.exit(report.failed)


asyncio.run(main())
