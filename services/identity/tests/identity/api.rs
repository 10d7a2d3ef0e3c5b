//! Who may call the API at all: every route, every kind of caller who may not.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ADMIN, Fixture, OFFICER};

fn routes(user: &str) -> Vec<(Method, String, Option<Value>)> {
    vec![
        (Method::GET, "/v1/users".into(), None),
        (Method::POST, "/v1/users".into(), Some(json!({"login": "rui.sitoe", "name": "R", "roles": []}))),
        (Method::GET, format!("/v1/users/{user}"), None),
        (Method::PATCH, format!("/v1/users/{user}"), Some(json!({"name": "X"}))),
        (Method::PUT, format!("/v1/users/{user}/roles"), Some(json!({"roles": []}))),
        (Method::POST, format!("/v1/users/{user}/password"), None),
        (Method::GET, "/v1/clients".into(), None),
        (Method::POST, "/v1/clients".into(), Some(json!({"id": "mz.prm.xx", "name": "X", "roles": []}))),
        (Method::GET, "/v1/clients/mz.prm.cad".into(), None),
        (Method::PATCH, "/v1/clients/mz.prm.cad".into(), Some(json!({"name": "X"}))),
        (Method::POST, "/v1/clients/mz.prm.cad/secret".into(), None),
    ]
}

struct Callers {
    service: Fixture,
    admin: String,
    officer: String,
    machine: String,
    user: String,
}

async fn callers() -> Callers {
    let service = Fixture::start().await;
    let (admin, officer) = (service.token(ADMIN).await, service.token(OFFICER).await);
    let draft = json!({"id": "mz.prm.cad", "name": "CAD", "roles": ["agency_system"]});
    let created = service.api(Method::POST, "/v1/clients", &admin, Some(draft)).await;
    let secret = created.text("/client_secret");
    let fields = [("grant_type", "client_credentials")];
    let tokens = service.form_with_basic("/oauth2/token", ("mz.prm.cad", secret), &fields).await;
    let machine = tokens.text("/access_token").to_owned();
    let user = crate::users::id_of(&service, &admin, OFFICER).await;
    Callers { service, admin, officer, machine, user }
}

#[tokio::test]
async fn officers_and_machines_may_nothing_and_each_attempt_is_audited() {
    let Callers { service, officer, machine, user, .. } = callers().await;
    let routes = routes(&user);
    for token in [&officer, &machine] {
        for (method, path, body) in &routes {
            let refused = service.api(method.clone(), path, token, body.clone()).await;
            assert_eq!(refused.error(), (403, "role"), "{method} {path}");
        }
    }
    assert_eq!(service.outcomes("access.refuse").await, vec!["role"; routes.len() * 2]);
}

#[tokio::test]
async fn without_a_good_token_nobody_may_anything() {
    let Callers { service, admin, user, .. } = callers().await;
    let (head, _) = admin.rsplit_once('.').expect("three parts");
    let forged = format!("{head}.{}", "A".repeat(86));
    for (method, path, body) in routes(&user) {
        for token in ["", "x", &forged] {
            let refused = service.api(method.clone(), &path, token, body.clone()).await;
            assert_eq!(refused.error(), (401, "unauthenticated"), "{method} {path} {token:?}");
        }
    }
    service.clock.advance(std::time::Duration::from_secs(11 * 60));
    let expired = service.api(Method::GET, "/v1/users", &admin, None).await;
    assert_eq!(expired.error(), (401, "token_expired"));
    assert!(expired.text("/detail").contains("Log in again"), "{expired:?}");
    let refused = service.api(Method::GET, "/v1/users", &forged, None).await;
    assert_eq!(refused.error(), (401, "unauthenticated"), "what was changed may be the time");
}

#[tokio::test]
async fn refusals_are_problems() {
    let Callers { service, admin, .. } = callers().await;
    for (path, status) in
        [("/v1/nothing", 404), ("/v1/users/not-an-id", 404), ("/v1/users/nobody/roles", 405)]
    {
        let response =
            service.http.get(service.url(path)).bearer_auth(&admin).send().await.expect("an answer");
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
    }
    let malformed = service.http.post(service.url("/v1/users")).bearer_auth(&admin);
    let response = malformed.header("content-type", "application/json").body("{").send().await;
    assert_eq!(response.expect("an answer").status(), 422);
    let plain = service.http.post(service.url("/v1/users")).bearer_auth(&admin).body("{}").send().await;
    assert_eq!(plain.expect("an answer").status(), 415);
    let undeclared = service.api(Method::GET, "/v1/users?colour=red", &admin, None).await;
    assert_eq!(undeclared.error(), (400, "query"));
}
