"""`mcp-proxy-for-aws` before a function URL: the proxy of AWS signs what a stdio client sends, a server here checks each signature
as AWS does and passes the request on to `lambda-front`, which plays the function URL of a caller whom IAM recognised.

    python signed.py FRONT_URL TOOL WORDS

Calls TOOL, and WORDS must be in what it says. Prints the headers that arrive, and fails with a sentence.
"""

import http.client
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION, SERVICE = "eu-west-1", "lambda"
KEYS = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "a-session-token")
seen, refused = [], []


def is_signed(method, url, headers, body):
    """Signs the request again with the headers that the client says it signed; AWS compares likewise."""
    said = headers.get("authorization", "")
    if not said.startswith("AWS4-HMAC-SHA256 "):
        return False
    parts = dict(part.strip().split("=", 1) for part in said.split(" ", 1)[1].split(","))
    names = parts["SignedHeaders"].split(";")
    if not {"host", "x-amz-date", "x-amz-security-token"} <= set(names):
        return False
    request = AWSRequest(method=method, url=url, data=body, headers={name: headers[name] for name in names})
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(KEYS, SERVICE, REGION)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(text, request) == parts["Signature"] and parts["Credential"].endswith(f"/{REGION}/{SERVICE}/aws4_request")


class Url(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # a client that was ended

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen.append(headers)
        if not is_signed(self.command, f"http://{headers['host']}{self.path}", headers, body):
            refused.append(headers)
            return self.answer(403, [("content-type", "application/json")], b'{"Message":"Forbidden"}')
        # the platform takes the signature for itself, and hands on who called
        passed = {name: value for name, value in headers.items() if name not in ("authorization", "host", "connection")}
        front = urlsplit(sys.argv[1])
        connection = http.client.HTTPConnection(front.hostname, front.port, timeout=30)
        connection.request(self.command, self.path, body, passed)
        reply = connection.getresponse()
        self.answer(reply.status, reply.getheaders(), reply.read())

    do_GET = do_DELETE = do_POST

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def converse(port, secret):
    """What a stdio client hears with these keys: the list of tools, and who it is."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEYS.access_key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": KEYS.token,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-m", "mcp_proxy_for_aws.server", f"http://127.0.0.1:{port}/mcp"]
    command += ["--service", SERVICE, "--region", REGION, "--disable-telemetry"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as proxy:
        watch = threading.Timer(60, proxy.kill)
        watch.start()

        def ask(identifier, method, params):
            message = {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}
            proxy.stdin.write(json.dumps(message) + "\n")
            proxy.stdin.flush()
            for line in proxy.stdout:
                heard = json.loads(line)
                if heard.get("id") == identifier:
                    return heard
            return {"error": "the proxy ended"}

        try:
            client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}
            begun = ask(1, "initialize", client)
            if "result" not in begun:
                return None, begun
            proxy.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
            proxy.stdin.flush()
            tools = ask(2, "tools/list", {})
            who = ask(3, "tools/call", {"name": sys.argv[2], "arguments": {}})
            return tools, who
        finally:
            watch.cancel()
            proxy.kill()


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Url)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    tools, who = converse(port, KEYS.secret_key)
    names = [tool["name"] for tool in (tools or {}).get("result", {}).get("tools", [])]
    said = json.dumps(who)
    if refused or sys.argv[2] not in names or sys.argv[3] not in said:
        sys.exit(f"a signed conversation failed: {len(refused)} signatures refused, tools {names[:5]}, answer {said}")
    unsigned = [headers for headers in seen if "authorization" not in headers]
    if unsigned:
        sys.exit(f"{len(unsigned)} of {len(seen)} requests were not signed")
    print("headers:", ", ".join(sorted({name for headers in seen for name in headers})))
    before = len(refused)
    _, answer = converse(port, "another-secret")
    if len(refused) == before or sys.argv[3] in json.dumps(answer):
        sys.exit(f"a wrong signature was not refused: {answer}")
    print(f"{len(seen)} requests, {len(refused)} of them with a wrong signature and refused")


main()
