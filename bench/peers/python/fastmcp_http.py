"""The echo for FastMCP: stateless, JSON answers, its app on uvicorn with one worker. The port is the argument."""

import sys

import uvicorn
from fastmcp import FastMCP

server = FastMCP("echo", version="1.0.0")


# without a schema of its output, whose answer would have the text twice
@server.tool(output_schema=None, annotations={"readOnlyHint": True})
async def echo(text: str) -> str:
    """Says it again."""
    return text


app = server.http_app(json_response=True, stateless_http=True)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
