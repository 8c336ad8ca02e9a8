"""A server of the Python SDK that keeps its events, and whose tools wait in the middle of a call until the client has come
back for the rest: what resumable.mjs is for the TypeScript SDK. Prints `listening on URL`."""

import asyncio
import socket

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.streamable_http import EventMessage, EventStore

calls = 0
returned = asyncio.Event()


class KeptEvents(EventStore):
    def __init__(self):
        self.events = []

    async def store_event(self, stream_id, message):
        self.events.append((stream_id, message))
        return str(len(self.events) - 1)

    async def replay_events_after(self, last_event_id, send_callback):
        place = int(last_event_id)
        stream = self.events[place][0]
        for name, (of, message) in enumerate(self.events):
            if name > place and of == stream and message is not None:
                await send_callback(EventMessage(message, str(name)))
        returned.set()
        return stream


resumable = MCPServer("resumable", version="1.0.0")


async def slow(context: Context, closes: bool) -> str:
    global calls
    calls += 1
    returned.clear()
    await context.report_progress(1)
    if closes:
        await context.close_sse_stream()
    await returned.wait()
    await context.report_progress(2)
    return "whole"


@resumable.tool(name="closed", structured_output=False)
async def closed(context: Context) -> str:
    """Closes its stream."""
    return await slow(context, True)


@resumable.tool(name="cut", structured_output=False)
async def cut(context: Context) -> str:
    """Has its stream cut."""
    return await slow(context, False)


@resumable.tool(name="calls", structured_output=False)
def count() -> str:
    """Counts calls."""
    return str(calls)


async def main():
    listener = socket.create_server(("127.0.0.1", 0))
    app = resumable.streamable_http_app(event_store=KeptEvents(), retry_interval=100)
    config = uvicorn.Config(app, log_level="warning")
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


asyncio.run(main())
