"""Questions and tools that are tasks, as the Python SDK 1.x meets them: it speaks the revisions with a handshake, so that a question
comes on the stream of its call, and every tool has its result within the call.

Prints `ok NAME` or `not ok NAME: why`, the lines that `cargo xtask clients` counts.

    python older.py --url URL
"""

import argparse
import asyncio
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

from checks import Checks, need, text_of
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from mcp.types import ElicitResult

report = Checks("sdk 1.x")
check = report.check
#: How long a client that loses its patience waits; nobody answers it.
PATIENCE = timedelta(seconds=2)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    url = parser.parse_args().url

    @asynccontextmanager
    async def session(action):
        async def answer(_context, _params):
            if action == "silent":
                await asyncio.Event().wait()
            content = {"name": "Alice"} if action == "accept" else None
            return ElicitResult(action=action, content=content)

        async with streamablehttp_client(url) as (read, write, _):
            async with ClientSession(read, write, elicitation_callback=answer) as client:
                await client.initialize()
                yield client

    async def answered(action, said):
        async with session(action) as client:
            result = await client.call_tool("test_streaming_elicitation", {})
            need(not result.isError and said in text_of(result), f"it says: {text_of(result)}")

    async def silent():
        async with session("silent") as client:
            try:
                result = await client.call_tool(
                    "test_streaming_elicitation", {}, read_timeout_seconds=PATIENCE
                )
            except Exception as error:
                need("timed out" in str(error).lower(), f"{error!r}")
            else:
                raise AssertionError(f"a result without an answer: {text_of(result)}")
        await answered("accept", "Hello, Alice!")

    async def inline():
        async with session("accept") as client:
            result = await client.call_tool("count_slowly", {"to": 2, "step_ms": 10})
            need(text_of(result) == "counted from 0 to 2", f"it says: {text_of(result)}")

    async def required():
        async with session("accept") as client:
            result = await client.call_tool("failing_job", {})
            need(result.isError, f"it says: {text_of(result)}")
            need("io.modelcontextprotocol/tasks" in text_of(result), f"it says: {text_of(result)}")

    await check("a question is answered", lambda: answered("accept", "Hello, Alice!"))
    await check("a question is declined", lambda: answered("decline", "stranger"))
    await check("a question that nobody answers is given up", silent)
    await check("a tool that can be a task has its result within the call", inline)
    await check("a tool that is only a task says what the client lacks", required)
    sys.exit(report.failed)


asyncio.run(main())
