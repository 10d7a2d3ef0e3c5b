//! Target `http_gateway`: requests to the agencies' API.

use crate::{
    http::FuzzRequest,
    inbox::FuzzGateway,
    services::{FixturePool, token_of},
};

thread_local! {
    static FIXTURES: FixturePool<FuzzGateway> = FixturePool::new();
}

/// The service never fails; a refusal is a problem whose faults point into the body; a page's cursor gives the next
/// page.
pub fn run(data: &[u8]) {
    FIXTURES.with(|fixtures| {
        fixtures.run(|runtime, gateway| {
            let Some(asked) = FuzzRequest::read(data, &gateway.words) else { return };
            let token = asked.caller.as_deref().and_then(token_of);
            runtime.block_on(async {
                let answer = asked.clone().send(&gateway.router, token.clone()).await;
                answer.check_api(&asked);
                if let Some(next) = answer.next(&asked) {
                    let answer = next.clone().send(&gateway.router, token).await;
                    assert!(answer.status.is_success(), "{next:?}: the next page is refused: {answer:?}");
                }
            });
        });
    });
}
