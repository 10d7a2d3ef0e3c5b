//! The gateway while its store is away, and when the store's writer is lost.

use std::{sync::Arc, time::Duration};

use rovuma_api::watch_store;
use rovuma_lab::postgres::{PostgresServer, fresh_folder, tests_use_postgres};
use rovuma_store::{BoxFuture, Conn, DeferredWriter};
use tokio::time::{interval, timeout};

use super::support::Fixture;

/// Waits until `/health/ready` says so, and returns the reason why the store is not ready.
async fn until_ready(fixture: &Fixture, wanted: bool) -> Option<String> {
    let changed = async {
        let mut looks = interval(Duration::from_millis(50));
        loop {
            looks.tick().await;
            let report = fixture.context.health.report();
            if report.ready == wanted {
                return report
                    .checks
                    .into_iter()
                    .find(|check| check.name == "store")
                    .and_then(|check| check.reason);
            }
        }
    };
    timeout(Duration::from_secs(60), changed).await.unwrap_or_else(|_| panic!("never ready: {wanted}"))
}

#[tokio::test]
async fn the_gateway_is_not_ready_while_its_store_is_away() {
    let mut server = tests_use_postgres().then(|| PostgresServer::start(&fresh_folder()).expect("a server"));
    let url = server.as_ref().map(|server| {
        server.create_database("gateway").expect("made");
        server.url("gateway")
    });
    let fixture = Fixture::start_with(|config, folder| {
        let file = || {
            std::fs::create_dir(folder.join("store")).expect("made");
            format!("sqlite:{}", folder.join("store").join("gateway.db").display())
        };
        config.store.url = url.unwrap_or_else(file);
    })
    .await;
    watch_store(&fixture.context, fixture.gateway.base.store.clone());
    assert_eq!(until_ready(&fixture, true).await, None);

    let folder = std::path::Path::new(fixture.config.store.url.trim_start_matches("sqlite:"))
        .parent()
        .map(std::path::Path::to_path_buf)
        .expect("a folder");
    let away = folder.with_file_name("away");
    match &mut server {
        Some(server) => server.kill(),
        None => std::fs::rename(&folder, &away).expect("moved"),
    }
    let reason = until_ready(&fixture, false).await.expect("a reason");
    assert!(reason.contains("the store"), "{reason}");
    match &mut server {
        Some(server) => server.resume().expect("starts again"),
        None => std::fs::rename(&away, &folder).expect("moved back"),
    }
    assert_eq!(until_ready(&fixture, true).await, None);
}

/// A deferred writer with a fault.
struct Faulty;

impl DeferredWriter for Faulty {
    fn job_begins(&self) {}

    fn job_rolled_back(&self) {}

    fn write<'t>(&'t self, _tx: &'t mut Conn) -> BoxFuture<'t, sqlx::Result<()>> {
        panic!("on purpose");
    }

    fn transaction_ended(&self) {}
}

#[tokio::test]
async fn a_gateway_whose_writer_is_lost_ends_with_a_failure() {
    let fixture = Fixture::start().await;
    let store = fixture.gateway.base.store.clone();
    watch_store(&fixture.context, store.clone());
    store.add_deferred(Arc::new(Faulty));
    fixture.person("officer-1", "mz.prm", &["liaison_officer"]).get("/v1/inbox").await.expect(503);
    // The process ends with 1 when a task has failed.
    timeout(Duration::from_secs(60), fixture.context.shutdown.drained()).await.expect("it ends by itself");
    assert!(fixture.context.shutdown.has_failed() && !fixture.context.health.report().ready);
}
