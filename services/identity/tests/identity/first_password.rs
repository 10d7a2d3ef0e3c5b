//! The first password: set by an administrator, changed by its owner.

use reqwest::{Method, Response};
use serde_json::json;

use crate::support::{ADMIN, Fixture, LoginPage, OFFICER};

const NEW: &str = "um barco no rio Rovuma";

/// A new user and the one-time password.
async fn new_user(service: &Fixture) -> String {
    let admin = service.token(ADMIN).await;
    let draft = json!({"login": "rui.sitoe", "name": "Rui Sitoe", "roles": ["analyst"]});
    let created = service.api(Method::POST, "/v1/users", &admin, Some(draft)).await;
    assert_eq!(created.status, 201, "{created:?}");
    created.text("/one_time_password").to_owned()
}

async fn change(service: &Fixture, page: &LoginPage, password: &str, new: &str, again: &str) -> Response {
    let fields =
        [("login", "rui.sitoe"), ("password", password), ("change", "1"), ("new", new), ("again", again)];
    service.submit(page, &fields).await
}

#[tokio::test]
async fn a_one_time_password_leads_to_the_change_and_to_nothing_else() {
    let service = Fixture::start().await;
    let given = new_user(&service).await;
    let page = service.page().await;
    let response = service.type_in(&page, "rui.sitoe", &given).await;
    assert_eq!(response.status(), 200);
    let html = response.text().await.expect("a page");
    assert!(html.contains("name=\"new\"") && !html.contains(&given));
    assert_eq!(change(&service, &page, &given, NEW, NEW).await.status(), 303);
    assert_eq!(service.type_in(&page, "rui.sitoe", NEW).await.status(), 303);
    assert_eq!(service.type_in(&page, "rui.sitoe", &given).await.status(), 401);
    let changes = service.audit().await;
    assert!(changes.iter().any(|event| event.action.to_string() == "user.change"
        && event.details.get("changed").is_some_and(|what| what == "password")));
}

#[tokio::test]
async fn passwords_that_will_not_do_are_not_taken() {
    let service = Fixture::start().await;
    let given = new_user(&service).await;
    let page = service.page().await;
    for (new, again) in [
        ("short", "short"),
        ("", ""),
        (NEW, "another thing entirely"),
        (given.as_str(), given.as_str()),
        ("aaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaa"),
        ("this is rui.sitoe himself", "this is rui.sitoe himself"),
    ] {
        let response = change(&service, &page, &given, new, again).await;
        assert_eq!(response.status(), 400, "{new:?}");
        assert!(response.headers().get("location").is_none());
    }
    assert_eq!(service.type_in(&page, "rui.sitoe", &given).await.status(), 200, "still to be changed");
}

#[tokio::test]
async fn a_change_needs_the_password_that_was_given() {
    let service = Fixture::start().await;
    let _given = new_user(&service).await;
    let page = service.page().await;
    assert_eq!(change(&service, &page, "some other password", NEW, NEW).await.status(), 401);
    assert_eq!(service.type_in(&page, "rui.sitoe", NEW).await.status(), 401);
}

#[tokio::test]
async fn nobody_changes_a_password_that_need_not_be_changed_by_the_form() {
    let service = Fixture::start().await;
    let page = service.page().await;
    let fields = [
        ("login", OFFICER),
        ("password", crate::support::PASSWORD),
        ("change", "1"),
        ("new", NEW),
        ("again", NEW),
    ];
    assert_eq!(service.submit(&page, &fields).await.status(), 303);
    assert_eq!(service.type_in(&page, OFFICER, NEW).await.status(), 401);
}

#[tokio::test]
async fn a_reset_ends_a_lock_out_and_the_old_password() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let id = crate::users::id_of(&service, &admin, OFFICER).await;
    let page = service.page().await;
    for _ in 0..6 {
        service.type_in(&page, OFFICER, "not the password at all").await;
    }
    assert_eq!(service.type_in(&page, OFFICER, crate::support::PASSWORD).await.status(), 429);
    let reset = service.api(Method::POST, &format!("/v1/users/{id}/password"), &admin, None).await;
    assert_eq!(reset.status, 200, "{reset:?}");
    assert_eq!(service.type_in(&page, OFFICER, crate::support::PASSWORD).await.status(), 401);
    let given = reset.text("/one_time_password");
    assert_eq!(service.type_in(&page, OFFICER, given).await.status(), 200);
}
