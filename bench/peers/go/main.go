// The echo for the official Go SDK on net/http: stateless, JSON answers, with the SDK's check of Host and the standard
// library's check of cross-origin requests in front, as the SDK's documents say. The port is the argument.
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type input struct {
	Text string `json:"text" jsonschema:"What to say again."`
}

func echo(_ context.Context, _ *mcp.CallToolRequest, in input) (*mcp.CallToolResult, any, error) {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: in.Text}}}, nil, nil
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("the argument is a port")
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "echo", Version: "1.0.0"}, nil)
	tool := &mcp.Tool{
		Name:        "echo",
		Description: "Says it again.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true},
	}
	mcp.AddTool(server, tool, echo)
	// one server for all requests, which the SDK allows
	always := func(*http.Request) *mcp.Server { return server }
	options := &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true}
	routes := http.NewServeMux()
	routes.Handle("/mcp", mcp.NewStreamableHTTPHandler(always, options))
	address := net.JoinHostPort("127.0.0.1", os.Args[1])
	log.Fatal(http.ListenAndServe(address, http.NewCrossOriginProtection().Handler(routes)))
}
