//! Guessing passwords: back-off, lock-out, and no way around them.

use std::time::Duration;

use futures::future::join_all;

use crate::support::{ADMIN, Fixture, LoginPage, OFFICER, PASSWORD};

const WRONG: &str = "not the password at all";

async fn guess(service: &Fixture, page: &LoginPage, login: &str, times: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(service.type_in(page, login, WRONG).await.status().as_u16());
    }
    statuses
}

#[tokio::test]
async fn after_four_wrong_guesses_each_further_one_waits_longer() {
    let service = Fixture::start().await;
    let page = service.page().await;
    assert_eq!(guess(&service, &page, OFFICER, 6).await, [401, 401, 401, 401, 401, 429]);
    // The right password does not help while it is blocked, and does not reveal itself.
    let blocked = service.type_in(&page, OFFICER, PASSWORD).await;
    assert_eq!(blocked.status(), 429);
    assert_eq!(blocked.headers()["retry-after"], "60");
    service.clock.advance(Duration::from_secs(30));
    assert_eq!(guess(&service, &page, OFFICER, 2).await, [401, 429]);
    service.clock.advance(Duration::from_secs(59));
    assert_eq!(service.type_in(&page, OFFICER, PASSWORD).await.status(), 429);
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(service.type_in(&page, OFFICER, PASSWORD).await.status(), 303);
    assert_eq!(guess(&service, &page, OFFICER, 1).await, [401], "a good log-in starts anew");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_blocked_in_the_same_way() {
    let service = Fixture::start().await;
    let page = service.page().await;
    let known = guess(&service, &page, OFFICER, 7).await;
    assert_eq!(guess(&service, &page, "nobody.here", 7).await, known);
}

#[tokio::test]
async fn ten_failures_lock_the_account_for_an_hour() {
    let service = Fixture::start().await;
    let page = service.page().await;
    guess(&service, &page, OFFICER, 5).await;
    for wait in [30, 60, 120, 240, 480] {
        service.clock.advance(Duration::from_secs(wait));
        assert_eq!(guess(&service, &page, OFFICER, 2).await, [401, 429]);
    }
    service.clock.advance(Duration::from_secs(3599));
    assert_eq!(service.type_in(&page, OFFICER, PASSWORD).await.status(), 429);
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(service.type_in(&page, OFFICER, PASSWORD).await.status(), 303);
    // Nobody else was kept out.
    assert_eq!(service.type_in(&page, ADMIN, PASSWORD).await.status(), 303);
}

#[tokio::test]
async fn many_guesses_at_once_are_no_way_around() {
    let service = Fixture::start().await;
    let page = service.page().await;
    let guesses = (0..30).map(|_| service.type_in(&page, OFFICER, WRONG));
    let statuses: Vec<u16> =
        join_all(guesses).await.into_iter().map(|response| response.status().as_u16()).collect();
    let compared = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(compared, 5, "{statuses:?}");
}

#[tokio::test]
async fn one_address_cannot_try_many_names() {
    let service = Fixture::start().await;
    let page = service.page().await;
    let names: Vec<String> = (0..60).map(|n| format!("nobody.{n}")).collect();
    let mut statuses = Vec::new();
    for name in &names {
        statuses.push(service.type_in(&page, name, WRONG).await.status().as_u16());
    }
    assert!(statuses[..51].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses[51..].iter().all(|status| *status == 429), "{statuses:?}");
    let elsewhere = LoginPage { address: "10.0.0.2", ..service.page().await };
    assert_eq!(service.type_in(&elsewhere, OFFICER, PASSWORD).await.status(), 303);
}

#[tokio::test]
async fn a_flood_writes_few_audit_events_and_says_how_many_it_refused() {
    let service = Fixture::start().await;
    let page = service.page().await;
    guess(&service, &page, OFFICER, 5).await;
    guess(&service, &page, OFFICER, 20).await;
    assert_eq!(service.outcomes("login.fail").await.len(), 5);
    service.clock.advance(Duration::from_secs(30));
    guess(&service, &page, OFFICER, 1).await;
    let events = service.audit().await;
    let last = events.last().expect("an event");
    assert_eq!(last.details["refused_before"], "20");
    assert!(last.details.contains_key("blocked_until"));
}

#[tokio::test]
async fn failures_are_forgotten_after_a_day() {
    let service = Fixture::start().await;
    let page = service.page().await;
    guess(&service, &page, OFFICER, 4).await;
    service.clock.advance(Duration::from_secs(24 * 3600));
    service.running.maintain().await;
    assert_eq!(guess(&service, &page, OFFICER, 4).await, [401; 4]);
}
