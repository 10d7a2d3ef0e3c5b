//! Machine clients: client credentials by secret and by signed assertion.

use reqwest::Method;
use rovuma_tokens::{JWT_BEARER, TokenKey};
use serde_json::{Value, json};

use crate::support::{ADMIN, Answer, ISSUER, World};

const ID: &str = "mz.prm.cad";

async fn with_secret(world: &World) -> (String, String) {
    let admin = world.token(ADMIN).await;
    let draft = json!({"id": ID, "name": "CAD", "roles": ["agency_system"]});
    let created = world.api(Method::POST, "/v1/clients", &admin, Some(draft)).await;
    assert_eq!(created.status, 201, "{created:?}");
    (admin, created.text("/client_secret").to_owned())
}

async fn ask(world: &World, id: &str, secret: &str) -> Answer {
    let fields = [("grant_type", "client_credentials")];
    world.form_with_basic("/oauth2/token", (id, secret), &fields).await
}

#[tokio::test]
async fn a_machine_gets_a_token_for_itself() {
    let world = World::start().await;
    let (_, secret) = with_secret(&world).await;
    let tokens = ask(&world, ID, &secret).await;
    let access = world.check(tokens.text("/access_token")).await;
    assert!(access.is_machine());
    assert_eq!((access.subject(), access.agency().as_str()), (ID, "mz.prm"));
    assert_eq!((access.roles(), access.session()), (["agency_system".to_owned()].as_slice(), None));
    assert!(tokens.body.get("id_token").is_none() && tokens.body.get("refresh_token").is_none());
    let in_body = [("grant_type", "client_credentials"), ("client_id", ID), ("client_secret", &secret)];
    assert_eq!(world.form("/oauth2/token", &in_body).await.status, 200);
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_machine_look_the_same() {
    let world = World::start().await;
    let (_, secret) = with_secret(&world).await;
    let wrong = ask(&world, ID, "wrong").await;
    let unknown = ask(&world, "mz.prm.nobody", &secret).await;
    assert_eq!(wrong.error(), (401, "invalid_client"));
    assert_eq!((wrong.status, wrong.body), (unknown.status, unknown.body));
    assert_eq!(ask(&world, ID, "").await.error(), (401, "invalid_client"));
    assert_eq!(world.outcomes("login.fail").await, ["client_authentication"; 3]);
}

#[tokio::test]
async fn a_flood_of_wrong_secrets_writes_few_audit_events() {
    let world = World::start().await;
    let (_, secret) = with_secret(&world).await;
    for _ in 0..60 {
        ask(&world, ID, "wrong").await;
    }
    assert_eq!(world.outcomes("login.fail").await.len(), 51);
    // And keeps nobody out: 256 bits are not guessed.
    assert_eq!(ask(&world, ID, &secret).await.status, 200);
}

#[tokio::test]
async fn a_renewed_secret_ends_the_old_one() {
    let world = World::start().await;
    let (admin, old) = with_secret(&world).await;
    let renewed = world.api(Method::POST, &format!("/v1/clients/{ID}/secret"), &admin, None).await;
    assert_eq!(ask(&world, ID, &old).await.error(), (401, "invalid_client"));
    assert_eq!(ask(&world, ID, renewed.text("/client_secret")).await.status, 200);
}

#[tokio::test]
async fn a_disabled_machine_gets_nothing() {
    let world = World::start().await;
    let (admin, secret) = with_secret(&world).await;
    let change = |disabled| Some(json!({"disabled": disabled}));
    world.api(Method::PATCH, &format!("/v1/clients/{ID}"), &admin, change(true)).await;
    assert_eq!(ask(&world, ID, &secret).await.error(), (401, "invalid_client"));
    world.api(Method::PATCH, &format!("/v1/clients/{ID}"), &admin, change(false)).await;
    assert_eq!(ask(&world, ID, &secret).await.status, 200);
}

#[tokio::test]
async fn a_machine_cannot_redeem_codes() {
    let world = World::start().await;
    let (_, secret) = with_secret(&world).await;
    let fields = [("grant_type", "authorization_code"), ("code", "x")];
    let refused = world.form_with_basic("/oauth2/token", (ID, &secret), &fields).await;
    assert_eq!(refused.error(), (400, "unauthorized_client"));
}

async fn with_key(world: &World) -> (String, TokenKey) {
    let admin = world.token(ADMIN).await;
    let key = TokenKey::generate().expect("random");
    let jwks = json!({"keys": [key.public()]});
    let draft = json!({"id": ID, "name": "CAD", "roles": ["agency_system"], "jwks": jwks});
    let created = world.api(Method::POST, "/v1/clients", &admin, Some(draft)).await;
    assert_eq!(created.status, 201, "{created:?}");
    assert!(created.body.get("client_secret").is_none());
    (admin, key)
}

fn assertion(world: &World, key: &TokenKey, changes: Value) -> String {
    let now = world.now().as_micros() / 1_000_000;
    let mut claims = json!({"iss": ID, "sub": ID, "aud": ISSUER, "jti": "1", "exp": now + 60});
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    key.sign("JWT", &claims).expect("signed")
}

async fn ask_by(world: &World, assertion: &str) -> Answer {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    world.form("/oauth2/token", &fields).await
}

#[tokio::test]
async fn a_signed_assertion_is_good_once() {
    let world = World::start().await;
    let (_, key) = with_key(&world).await;
    let signed = assertion(&world, &key, json!({}));
    assert_eq!(ask_by(&world, &signed).await.status, 200);
    assert_eq!(ask_by(&world, &signed).await.error(), (401, "invalid_client"));
    let next = assertion(&world, &key, json!({"jti": "2"}));
    assert_eq!(ask_by(&world, &next).await.status, 200);
}

#[tokio::test]
async fn assertions_of_others_or_for_others_are_refused() {
    let world = World::start().await;
    let (_, key) = with_key(&world).await;
    let stranger = TokenKey::generate().expect("random");
    for refused in [
        assertion(&world, &stranger, json!({})),
        assertion(&world, &key, json!({"aud": "https://elsewhere.example"})),
        assertion(&world, &key, json!({"sub": "mz.prm.other"})),
        assertion(&world, &key, json!({"iss": "mz.prm.other"})),
        assertion(&world, &key, json!({"exp": 0})),
        assertion(&world, &key, json!({"jti": ""})),
        "a.b.c".to_owned(),
    ] {
        assert_eq!(ask_by(&world, &refused).await.error(), (401, "invalid_client"), "{refused}");
    }
    assert_eq!(ask(&world, ID, "").await.error(), (401, "invalid_client"), "it has no secret");
}
