#!/bin/sh
# Asks a deployed server what it is and which tools it has: `infra/smoke.sh URL`.
# Signs for AWS IAM when AWS_ACCESS_KEY_ID is set, as `eval "$(aws configure export-credentials --format env)"` does.
# Every failure is one sentence on stderr and exit status 1.
set -eu

fail() {
    echo "smoke: $1" >&2
    exit 1
}

url=${1:-}
case $url in
http://* | https://*) ;;
*) fail "give the server's address, the output Url of the stack: infra/smoke.sh https://ID.lambda-url.REGION.on.aws/mcp" ;;
esac
command -v curl >/dev/null || fail "curl was not found; install version 7.75 or newer"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
meta='"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"smoke","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}'

# Curl reads this from its standard input: secrets on a command line are seen by everybody on the machine.
signature() {
    [ -n "${AWS_ACCESS_KEY_ID:-}" ] || return 0
    region=$(printf '%s' "$url" | sed -n 's|^https://[^./]*\.lambda-url\.\([a-z0-9-]*\)\.on\.aws\(/.*\)*$|\1|p')
    region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-}}}
    [ -n "$region" ] || fail "the address does not name a region; set AWS_REGION"
    [ -n "${AWS_SECRET_ACCESS_KEY:-}" ] || fail "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both, or neither for a server without IAM"
    printf 'aws-sigv4 = "aws:amz:%s:lambda"\nuser = "%s:%s"\n' "$region" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
    if [ -n "${AWS_SESSION_TOKEN:-}" ]; then
        printf 'header = "x-amz-security-token: %s"\n' "$AWS_SESSION_TOKEN"
    fi
}

# ask METHOD WORD: posts METHOD and looks for WORD in the answer
ask() {
    signature >"$folder/options"
    status=$(curl --silent --show-error --max-time 30 --config - --output "$folder/answer" --write-out '%{http_code}' \
        --header 'content-type: application/json' --header 'accept: application/json, text/event-stream' \
        --header 'mcp-protocol-version: 2026-07-28' --header "mcp-method: $1" \
        --data "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":{$meta}}" "$url" <"$folder/options" 2>"$folder/error") ||
        fail "$1 got no answer: $(cat "$folder/error")"
    said=$(head -c 400 "$folder/answer")
    case $status in
    200) ;;
    401 | 403)
        # an answer in MCP's own form comes from behind IAM
        if grep -q '"jsonrpc"' "$folder/answer"; then
            fail "$1 was refused by the server ($status): MCPFN_AUTH asks for a caller that AWS recognised, and nothing in front of the function recognised one; it said: $said"
        fi
        if [ -n "${AWS_ACCESS_KEY_ID:-}" ]; then
            fail "$1 was refused by IAM ($status): the caller needs both statements of infra/caller-policy.json, a clock that is right, and the address of this region; IAM said: $said"
        fi
        fail "$1 was refused by IAM ($status): the address wants signed requests; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ;;
    404) fail "$1 found nothing (404): the address ends in /mcp, behind MCPFN_BASE_PATH if that is set; it said: $said" ;;
    429) fail "$1 was turned away (429): every environment is busy; raise ReservedConcurrency" ;;
    5*) fail "$1 failed in the function ($status): its log says why (aws logs tail LOGGROUP, an output of the stack); it said: $said" ;;
    *) fail "$1 was answered with status $status: $said" ;;
    esac
    grep -q "$2" "$folder/answer" || fail "$1 was answered, but without $2: $said"
    echo "ok $1"
}

ask server/discover '"supportedVersions"'
ask tools/list '"inputSchema"'
