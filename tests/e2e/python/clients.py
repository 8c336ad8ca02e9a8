"""The Python SDK 2.x and FastMCP 4.x as clients, in both eras: what checks.mjs asks of other clients.

Prints `ok NAME` or `not ok NAME: why`, the lines that `cargo xtask clients` counts.

    python clients.py sdk|fastmcp modern|legacy [--url URL] [--stdio PROGRAM]

With both, PROGRAM is one that connects to the URL.
"""

import argparse
import asyncio
import re
import sys
from contextlib import asynccontextmanager

from checks import Checks, need, text_of
from fastmcp import Client as FastMcpClient
from fastmcp.client.transports import StdioTransport
from fastmcp.skills import SkillsClientExtension
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import ElicitResult, PromptReference, Request, Result
from pydantic import ConfigDict

report = Checks()
check = report.check
asked: list[str] = []


class EventsRequest(Request[dict, str]):
    """Neither client has methods for events, and both have a session that sends what it is given."""


class EventsNamed(EventsRequest):
    """The same, of an event: its name is also a header."""

    name_param = "name"


class Anything(Result):
    """A result with whatever is in it."""

    model_config = ConfigDict(extra="allow")


async def events(client, method, params):
    kind = EventsNamed if "name" in params else EventsRequest
    request = kind(method=f"events/{method}", params=params)
    return (await client.client.session.send_request(request, Anything)).model_extra


class OfTheSdk:
    """The SDK's client, behind the few calls that the checks make."""

    def __init__(self, client):
        self.client = client

    version = property(lambda self: self.client.protocol_version)

    async def tools(self):
        return (await self.client.list_tools()).tools

    async def call(self, name, arguments, progress=None):
        return await self.client.call_tool(name, arguments, progress_callback=progress)

    async def read(self, uri):
        return (await self.client.read_resource(uri)).contents

    async def templates(self):
        return (await self.client.list_resource_templates()).resource_templates

    async def prompt(self, name, arguments):
        return (await self.client.get_prompt(name, arguments)).messages

    async def complete(self, ref, argument):
        return (await self.client.complete(ref, argument)).completion


class OfFastMcp:
    """FastMCP's client, likewise."""

    def __init__(self, client):
        self.client = client

    version = property(lambda self: self.client.session.protocol_version)

    async def tools(self):
        return await self.client.list_tools()

    async def call(self, name, arguments, progress=None):
        return await self.client.call_tool_mcp(name, arguments, progress_handler=progress)

    async def read(self, uri):
        return await self.client.read_resource(uri)

    async def templates(self):
        return await self.client.list_resource_templates()

    async def prompt(self, name, arguments):
        return (await self.client.get_prompt(name, arguments)).messages

    async def complete(self, ref, argument):
        return await self.client.complete(ref, argument)


@asynccontextmanager
async def connected(kind, era, url, stdio):
    mode = "auto" if era == "modern" else "legacy"
    arguments = ["connect", url] if url else ["--stdio"]

    async def answer(_context, params):
        asked.append(params.message)
        return ElicitResult(action="accept", content={"name": "Alice"})

    async def answer_fastmcp(message, _type, _params, _context):
        asked.append(message)
        return {"name": "Alice"}

    if kind == "sdk":
        server = StdioServerParameters(command=stdio, args=arguments) if stdio else url
        async with Client(server, mode=mode, elicitation_callback=answer) as client:
            yield OfTheSdk(client)
    else:
        server = StdioTransport(command=stdio, args=arguments, keep_alive=False) if stdio else url
        async with FastMcpClient(
            server,
            mode=mode,
            elicitation_handler=answer_fastmcp,
            extensions=[SkillsClientExtension()],
        ) as client:
            yield OfFastMcp(client)


async def checks(prefix, client, era):
    async def version():
        need(
            (client.version == "2026-07-28") == (era == "modern"), f"the revision is {client.version}"
        )

    async def lists():
        names = [tool.name for tool in await client.tools()]
        need("test_simple_text" in names, f"test_simple_text is not among: {', '.join(names)}")

    async def calls():
        result = await client.call("test_simple_text", {})
        need(not result.is_error and text_of(result), f"the call failed: {text_of(result)}")

    async def adds():
        result = await client.call("add", {"a": 2, "b": 3})
        need(re.search(r"\b5\b", text_of(result)), f"2 + 3 gave: {text_of(result)}")

    async def wrong():
        result = await client.call("add", {"a": "x"})
        need(result.is_error and "/a" in text_of(result), f"not told: {text_of(result)}")

    async def progress():
        seen = []

        async def note(value, _total=None, _message=None):
            seen.append(value)

        result = await client.call("test_tool_with_progress", {}, note)
        need(not result.is_error, f"the call failed: {text_of(result)}")
        need(len(seen) >= 3 and seen == sorted(set(seen)), f"progress was {seen}")

    async def reads():
        contents = await client.read("test://static-text")
        need(contents[0].text and contents[0].mime_type == "text/plain", f"it is {contents[0]}")

    async def template():
        templates = [template.uri_template for template in await client.templates()]
        need("test://template/{id}/data" in templates, f"not among: {', '.join(templates)}")
        contents = await client.read("test://template/123/data")
        need("123" in contents[0].text, f"it is {contents[0].text}")

    async def prompts():
        values = {"arg1": "first value", "arg2": "second value"}
        messages = await client.prompt("test_prompt_with_arguments", values)
        text = "\n".join(message.content.text for message in messages)
        need(all(value in text for value in values.values()), f"it is {text}")

    async def completes():
        reference = PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
        completion = await client.complete(reference, {"name": "arg1", "value": "test"})
        need(isinstance(completion.values, list), f"it is {completion}")

    async def questions():
        result = await client.call("test_input_required_result_elicitation", {})
        need(len(asked) == 1, f"the tool asked {len(asked)} times")
        need(not result.is_error and text_of(result), f"the call failed: {text_of(result)}")

    async def polls():
        listed = (await events(client, "list", {}))["events"]
        need([event["name"] for event in listed] == ["note.added"], f"events are {listed}")
        begun = await events(client, "poll", {"name": "note.added"})
        need(begun["events"] == [] and begun["cursor"], f"it begins with {begun}")
        note = {"topic": "python", "text": prefix}
        await client.call("note", note)
        after = {"name": "note.added", "cursor": begun["cursor"], "arguments": {"topic": "python"}}
        # of another choice: it begins again
        need((await events(client, "poll", after))["truncated"], "another choice goes on")
        found = await events(client, "poll", {"name": "note.added", "cursor": begun["cursor"]})
        need([event["data"] for event in found["events"]] == [note], f"it found {found}")

    async def no_events():
        try:
            listed = await events(client, "list", {})
        except MCPError as error:
            need(error.error.code == -32601, f"it says: {error}")
        else:
            raise AssertionError(f"events are listed: {listed}")

    async def skills():
        # reads every file, and compares sizes, digests and the frontmatter with its own reader's
        skills = await client.client.list_skills()
        for entry in skills:
            skill = await client.client.read_skill(entry.uri)
            need(len(skill.files) == len(entry.resources), f"files of {entry.uri}: {skill.files}")
        need(len(skills) == 2, f"skills are {skills}")

    async def skill_resources():
        found = [resource.name for resource in await client.client.list_skill_resources()]
        need("fixtures-explained" in found, f"skills among resources are {found}")

    await check(f"{prefix} settles on its era", version)
    await check(f"{prefix} lists tools", lists)
    await check(f"{prefix} calls a tool", calls)
    await check(f"{prefix} calls a tool with arguments", adds)
    await check(f"{prefix} is told which argument is wrong", wrong)
    await check(f"{prefix} receives progress", progress)
    await check(f"{prefix} reads a resource", reads)
    await check(f"{prefix} reads a resource from a template", template)
    await check(f"{prefix} gets a prompt", prompts)
    await check(f"{prefix} completes an argument", completes)
    if isinstance(client, OfFastMcp):
        await check(f"{prefix} finds skills among resources", skill_resources)
        if era == "modern":
            await check(f"{prefix} reads every skill and verifies it", skills)
    if era == "modern":
        await check(f"{prefix} answers a question the tool asks", questions)
        await check(f"{prefix} polls an event behind its cursor", polls)
    else:
        await check(f"{prefix} is told of no events", no_events)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["sdk", "fastmcp"])
    parser.add_argument("era", choices=["modern", "legacy"])
    parser.add_argument("--url")
    parser.add_argument("--stdio")
    given = parser.parse_args()
    if not given.url and not given.stdio:
        parser.error("say --url URL, --stdio PROGRAM, or both")
    way = ("connect" if given.url else "stdio") if given.stdio else "http"
    prefix = f"{given.kind} {given.era} {way}:"
    try:
        async with connected(given.kind, given.era, given.url, given.stdio) as client:
            await checks(prefix, client, given.era)
    except Exception as error:
        await check(f"{prefix} connects and ends", lambda: raised(error))
    sys.exit(report.failed)


async def raised(error):
    raise error


asyncio.run(main())
