//! Target `http_audit`: requests to the auditors' API.

use crate::{
    audit_batch::FuzzAuditLog,
    http::FuzzRequest,
    services::{FixturePool, token_of},
};

thread_local! {
    static FIXTURES: FixturePool<FuzzAuditLog> = FixturePool::new();
}

/// The service never fails; a refusal is a problem; a page's cursor gives the next page.
pub fn run(data: &[u8]) {
    FIXTURES.with(|fixtures| {
        fixtures.run(|runtime, log| {
            let Some(asked) = FuzzRequest::read(data, &log.words) else { return };
            let token = asked.caller.as_deref().and_then(token_of);
            runtime.block_on(async {
                let answer = asked.clone().send(&log.router, token.clone()).await;
                answer.check_api(&asked);
                if let Some(next) = answer.next(&asked) {
                    let answer = next.clone().send(&log.router, token).await;
                    assert!(answer.status.is_success(), "{next:?}: the next page is refused: {answer:?}");
                }
            });
        });
    });
}
