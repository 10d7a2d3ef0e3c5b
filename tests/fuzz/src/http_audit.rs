//! Target `http_audit`: requests to the auditors' API.

use crate::{
    audit_batch::Log,
    http::Asked,
    world::{Worlds, token_of},
};

thread_local! {
    static WORLDS: Worlds<Log> = Worlds::new();
}

/// The service never fails; a refusal is a problem; a page leads on to the next.
pub fn run(data: &[u8]) {
    WORLDS.with(|worlds| {
        worlds.run(|runtime, log| {
            let Some(asked) = Asked::read(data, &log.words) else { return };
            let token = asked.caller.as_deref().and_then(token_of);
            runtime.block_on(async {
                let answer = asked.clone().ask(&log.router, token.clone()).await;
                answer.check_api(&asked);
                if let Some(next) = answer.next(&asked) {
                    let answer = next.clone().ask(&log.router, token).await;
                    assert!(answer.status.is_success(), "{next:?}: the next page is refused: {answer:?}");
                }
            });
        });
    });
}
