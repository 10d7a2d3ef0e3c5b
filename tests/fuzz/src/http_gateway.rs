//! Target `http_gateway`: requests to the agencies' API.

use crate::{
    http::Asked,
    inbox::Gateway,
    world::{Worlds, token_of},
};

thread_local! {
    static WORLDS: Worlds<Gateway> = Worlds::new();
}

/// The service never fails; a refusal is a problem whose faults point into the body; a page leads on to the next.
pub fn run(data: &[u8]) {
    WORLDS.with(|worlds| {
        worlds.run(|runtime, gateway| {
            let Some(asked) = Asked::read(data, &gateway.words) else { return };
            let token = asked.caller.as_deref().and_then(token_of);
            runtime.block_on(async {
                let answer = asked.clone().ask(&gateway.router, token.clone()).await;
                answer.check_api(&asked);
                if let Some(next) = answer.next(&asked) {
                    let answer = next.clone().ask(&gateway.router, token).await;
                    assert!(answer.status.is_success(), "{next:?}: the next page is refused: {answer:?}");
                }
            });
        });
    });
}
