//! rmcp behind axum behind lambda_http, which streams its answers, as events need.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::run_with_streaming_response(peer_rmcp::router(None)).await
}
