//! rmcp behind axum behind lambda_http. It answers JSON here, so it is deployed buffered.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    // streamed, its small writes wait for the other side's delayed acknowledgement: 40 ms a call
    lambda_http::run(peer_rmcp::router(None)).await
}
