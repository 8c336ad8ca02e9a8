"""Tasks, as FastMCP's own client of them does them (`fastmcp_tasks`, which belongs to an older FastMCP than the one of clients.py):
behind a call, by a handle, cancelled, and failed. With a handshake there are none, and calls have their results. Over HTTP it asks for
tasks without the header `Mcp-Name`, which the specification requires: it is told so, and the rest is over stdio.

Prints `ok NAME` or `not ok NAME: why`, the lines that `cargo xtask clients` counts.

    python tasks.py --url URL --stdio PROGRAM
"""

import argparse
import asyncio
import sys

from checks import Checks, need, text_of
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import ToolError
from fastmcp_tasks.client import ToolTask, call_tool_task

report = Checks("fastmcp_tasks")
check = report.check
asked = []


async def answer(message, *_):
    asked.append(message)
    return {"name": "Alice", "confirm": True}


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--stdio", required=True)
    given = parser.parse_args()

    def client(mode="auto"):
        quiet = {"MCPFN_LOG": "warn"}
        server = StdioTransport(command=given.stdio, args=["--stdio"], env=quiet, keep_alive=False)
        return Client(server, mode=mode, elicitation_handler=answer)

    async def over_http():
        async with Client(given.url) as one:
            # a result of no task needs no header
            result = await one.call_tool("greet", {"name": "World"})
            need(text_of(result) == "Hello, World!", f"it is {text_of(result)}")
            try:
                await one.call_tool("slow_compute", {"seconds": 0.1})
            except Exception as error:
                need("mcp-name" in str(error), f"it says: {error}")
            else:
                raise AssertionError("it sends the header by now: test tasks over HTTP, too")

    async def behind_a_call():
        async with client() as one:
            result = await one.call_tool("failing_job", {}, raise_on_error=False)
            need(result.is_error and "the job failed" in text_of(result), f"it is {result}")
            result = await one.call_tool("count_slowly", {"to": 3, "step_ms": 50})
            need(text_of(result) == "counted from 0 to 3", f"it is {text_of(result)}")

    async def polled():
        async with client() as one:
            task = await call_tool_task(one, "slow_compute", {"seconds": 1, "label": "x"})
            need((await task.status()).status == "working", "it has ended too early")
            need((await task.wait(timeout=20)).status == "completed", "it did not end")
            need("computed x in 1" in text_of(await task.result()), "another result")

    async def questions():
        asked.clear()
        async with client() as one:
            result = await one.call_tool("multi_input", {})
            need(text_of(result) == "both answered" and len(asked) == 2, f"{asked}, {text_of(result)}")

    async def cancelled():
        async with client() as one:
            task = await call_tool_task(one, "slow_compute", {"seconds": 60})
            await task.cancel()
            need((await task.wait(timeout=20)).status == "cancelled", "it goes on")
            try:
                await task.result()
            except ToolError as error:
                need("cancelled" in str(error), f"it says: {error}")
            else:
                raise AssertionError("a result of what was cancelled")

    async def failed_task():
        async with client() as one:
            task = await call_tool_task(one, "protocol_error_job", {})
            need((await task.wait(timeout=20)).status == "failed", "it did not fail")

    async def taken_up():
        async with client() as one:
            task = await call_tool_task(one, "count_slowly", {"to": 4, "step_ms": 200})
            again = ToolTask(one, "count_slowly", task.create_result)
            need(text_of(await again.result()) == "counted from 0 to 4", "another result")

    async def handshake():
        async with client("legacy") as one:
            result = await one.call_tool("slow_compute", {"seconds": 0.1, "label": "x"})
            need("computed x" in text_of(result), f"it is {text_of(result)}")

    await check("a task is behind a call", behind_a_call)
    await check("a task is polled by its handle", polled)
    await check("what a task asks is answered", questions)
    await check("a task is cancelled", cancelled)
    await check("a protocol error fails the task", failed_task)
    await check("a task is taken up by another handle", taken_up)
    await check("over HTTP it is told which header it lacks", over_http)
    await check("with a handshake a call has its result", handshake)
    sys.exit(report.failed)


asyncio.run(main())
