//! Machine clients: client credentials by secret and by signed assertion.

use reqwest::Method;
use rovuma_tokens::{JWT_BEARER, TokenKey};
use serde_json::{Value, json};

use crate::support::{ADMIN, ApiResponse, Fixture, ISSUER, OFFICER, PASSWORD};

const ID: &str = "mz.prm.cad";

async fn with_secret(service: &Fixture) -> (String, String) {
    let admin = service.token(ADMIN).await;
    let draft = json!({"id": ID, "name": "CAD", "roles": ["agency_system"]});
    let created = service.api(Method::POST, "/v1/clients", &admin, Some(draft)).await;
    assert_eq!(created.status, 201, "{created:?}");
    (admin, created.text("/client_secret").to_owned())
}

async fn ask(service: &Fixture, id: &str, secret: &str) -> ApiResponse {
    let fields = [("grant_type", "client_credentials")];
    service.form_with_basic("/oauth2/token", (id, secret), &fields).await
}

#[tokio::test]
async fn a_machine_gets_a_token_for_itself() {
    let service = Fixture::start().await;
    let (_, secret) = with_secret(&service).await;
    let tokens = ask(&service, ID, &secret).await;
    let access = service.check(tokens.text("/access_token")).await;
    assert!(access.is_machine());
    assert_eq!((access.subject(), access.agency().as_str()), (ID, "mz.prm"));
    assert_eq!((access.roles(), access.session()), (["agency_system".to_owned()].as_slice(), None));
    assert!(tokens.body.get("id_token").is_none() && tokens.body.get("refresh_token").is_none());
    let in_body = [("grant_type", "client_credentials"), ("client_id", ID), ("client_secret", &secret)];
    assert_eq!(service.form("/oauth2/token", &in_body).await.status, 200);
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_machine_look_the_same() {
    let service = Fixture::start().await;
    let (_, secret) = with_secret(&service).await;
    let wrong = ask(&service, ID, "wrong").await;
    let unknown = ask(&service, "mz.prm.nobody", &secret).await;
    assert_eq!(wrong.error(), (401, "invalid_client"));
    assert_eq!((wrong.status, wrong.body), (unknown.status, unknown.body));
    assert_eq!(ask(&service, ID, "").await.error(), (401, "invalid_client"));
    assert_eq!(service.outcomes("login.fail").await, ["client_authentication"; 3]);
}

#[tokio::test]
async fn a_flood_of_wrong_secrets_writes_few_audit_events() {
    let service = Fixture::start().await;
    let (_, secret) = with_secret(&service).await;
    for _ in 0..60 {
        ask(&service, ID, "wrong").await;
    }
    assert_eq!(service.outcomes("login.fail").await.len(), 51);
    // And keeps nobody out: 256 bits are not guessed.
    assert_eq!(ask(&service, ID, &secret).await.status, 200);
}

#[tokio::test]
async fn a_machine_with_a_wrong_secret_keeps_nobody_of_its_address_out() {
    let service = Fixture::start().await;
    with_secret(&service).await;
    let page = service.page().await;
    for _ in 0..60 {
        let fields = [("grant_type", "client_credentials"), ("client_id", ID), ("client_secret", "wrong")];
        let request = service.http.post(service.url("/oauth2/token")).form(&fields);
        let response = request.header("x-forwarded-for", page.address).send().await.expect("an answer");
        assert_eq!(response.status(), 401);
    }
    assert_eq!(service.type_in(&page, OFFICER, PASSWORD).await.status(), 303);
}

#[tokio::test]
async fn a_renewed_secret_ends_the_old_one() {
    let service = Fixture::start().await;
    let (admin, old) = with_secret(&service).await;
    let renewed = service.api(Method::POST, &format!("/v1/clients/{ID}/secret"), &admin, None).await;
    assert_eq!(ask(&service, ID, &old).await.error(), (401, "invalid_client"));
    assert_eq!(ask(&service, ID, renewed.text("/client_secret")).await.status, 200);
}

#[tokio::test]
async fn a_disabled_machine_gets_nothing() {
    let service = Fixture::start().await;
    let (admin, secret) = with_secret(&service).await;
    let change = |disabled| Some(json!({"disabled": disabled}));
    service.api(Method::PATCH, &format!("/v1/clients/{ID}"), &admin, change(true)).await;
    assert_eq!(ask(&service, ID, &secret).await.error(), (401, "invalid_client"));
    service.api(Method::PATCH, &format!("/v1/clients/{ID}"), &admin, change(false)).await;
    assert_eq!(ask(&service, ID, &secret).await.status, 200);
}

#[tokio::test]
async fn a_machine_cannot_redeem_codes() {
    let service = Fixture::start().await;
    let (_, secret) = with_secret(&service).await;
    let fields = [("grant_type", "authorization_code"), ("code", "x")];
    let refused = service.form_with_basic("/oauth2/token", (ID, &secret), &fields).await;
    assert_eq!(refused.error(), (400, "unauthorized_client"));
}

async fn with_key(service: &Fixture) -> (String, TokenKey) {
    let admin = service.token(ADMIN).await;
    let key = TokenKey::generate().expect("random");
    let jwks = json!({"keys": [key.public()]});
    let draft = json!({"id": ID, "name": "CAD", "roles": ["agency_system"], "jwks": jwks});
    let created = service.api(Method::POST, "/v1/clients", &admin, Some(draft)).await;
    assert_eq!(created.status, 201, "{created:?}");
    assert!(created.body.get("client_secret").is_none());
    (admin, key)
}

fn assertion(service: &Fixture, key: &TokenKey, changes: Value) -> String {
    let now = service.now().as_micros() / 1_000_000;
    let mut claims = json!({"iss": ID, "sub": ID, "aud": ISSUER, "jti": "1", "exp": now + 60});
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    key.sign("JWT", &claims).expect("signed")
}

async fn ask_by(service: &Fixture, assertion: &str) -> ApiResponse {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    service.form("/oauth2/token", &fields).await
}

#[tokio::test]
async fn a_signed_assertion_is_good_once() {
    let service = Fixture::start().await;
    let (_, key) = with_key(&service).await;
    let signed = assertion(&service, &key, json!({}));
    assert_eq!(ask_by(&service, &signed).await.status, 200);
    assert_eq!(ask_by(&service, &signed).await.error(), (401, "invalid_client"));
    let next = assertion(&service, &key, json!({"jti": "2"}));
    assert_eq!(ask_by(&service, &next).await.status, 200);
}

#[tokio::test]
async fn assertions_of_others_or_for_others_are_refused() {
    let service = Fixture::start().await;
    let (_, key) = with_key(&service).await;
    let stranger = TokenKey::generate().expect("random");
    for refused in [
        assertion(&service, &stranger, json!({})),
        assertion(&service, &key, json!({"aud": "https://elsewhere.example"})),
        assertion(&service, &key, json!({"sub": "mz.prm.other"})),
        assertion(&service, &key, json!({"iss": "mz.prm.other"})),
        assertion(&service, &key, json!({"exp": 0})),
        assertion(&service, &key, json!({"exp": service.now().as_micros() / 1_000_000 + 400})),
        assertion(&service, &key, json!({"jti": ""})),
        "a.b.c".to_owned(),
    ] {
        assert_eq!(ask_by(&service, &refused).await.error(), (401, "invalid_client"), "{refused}");
    }
    assert_eq!(ask(&service, ID, "").await.error(), (401, "invalid_client"), "it has no secret");
}

#[tokio::test]
async fn a_client_with_keys_gets_no_secret_beside_them() {
    let service = Fixture::start().await;
    let (admin, key) = with_key(&service).await;
    let refused = service.api(Method::POST, &format!("/v1/clients/{ID}/secret"), &admin, None).await;
    assert_eq!(refused.error(), (409, "client_has_keys"));
    let client = service.api(Method::GET, &format!("/v1/clients/{ID}"), &admin, None).await;
    assert_eq!(client.body["authentication"], json!(["private_key_jwt"]));
    assert_eq!(ask_by(&service, &assertion(&service, &key, json!({}))).await.status, 200);
}

#[tokio::test]
async fn keys_that_anybody_can_sign_for_are_refused() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    // The point of order 1, whose signatures need no private key.
    let mut point = [0; 32];
    point[0] = 1;
    let jwks = json!({"keys": [rovuma_tokens::PublicJwk::ed25519(&point)]});
    let draft = json!({"id": ID, "name": "CAD", "roles": ["agency_system"], "jwks": jwks});
    let refused = service.api(Method::POST, "/v1/clients", &admin, Some(draft)).await;
    assert_eq!((refused.error(), refused.text("/faults/0/pointer")), ((422, "body_faulty"), "/jwks"));
}
