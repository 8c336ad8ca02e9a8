"""The echo for the Python SDK: stateless, JSON answers, on uvicorn with one worker. The port is the argument."""

import sys

import uvicorn
from mcp.server.mcpserver import MCPServer

server = MCPServer("echo", version="1.0.0", log_level="WARNING")


@server.tool(structured_output=False)
async def echo(text: str) -> str:
    """Says it again."""
    return text


app = server.streamable_http_app(json_response=True, stateless_http=True)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
