"""The echo for AWS Labs' handler, as a function of Lambda; the runtime client calls `handler`."""

from awslabs.mcp_lambda_handler import MCPLambdaHandler

server = MCPLambdaHandler(name="echo", version="1.0.0")


@server.tool()
def echo(text: str) -> str:
    """Says it again.

    Args:
        text: What to say again.
    """
    return text


def handler(event, context):
    return server.handle_request(event, context)
