//! Metadata and keys.

use serde_json::Value;

use crate::support::{Fixture, ISSUER};

#[tokio::test]
async fn the_metadata_names_every_endpoint_and_only_what_is_there() {
    let service = Fixture::start().await;
    let metadata: Value = service.get("/.well-known/openid-configuration").await.json().await.expect("JSON");
    assert_eq!(metadata["issuer"], ISSUER);
    assert_eq!(metadata["response_types_supported"], serde_json::json!(["code"]));
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    let grants = serde_json::json!(["authorization_code", "refresh_token", "client_credentials"]);
    assert_eq!(metadata["grant_types_supported"], grants);
    for endpoint in
        ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "revocation_endpoint", "jwks_uri"]
    {
        let url = metadata[endpoint].as_str().expect("a URL");
        let path = url.strip_prefix(ISSUER).expect("of the issuer");
        let status = service.get(path).await.status().as_u16();
        assert!(status != 404, "{endpoint}: {path} is not there");
    }
    let oauth: Value =
        service.get("/.well-known/oauth-authorization-server").await.json().await.expect("JSON");
    assert_eq!(oauth, metadata);
}

#[tokio::test]
async fn the_published_keys_hold_no_private_member() {
    let service = Fixture::start().await;
    let response = service.get("/oauth2/jwks.json").await;
    assert_eq!(response.headers()["content-type"], "application/jwk-set+json");
    let set: Value = response.json().await.expect("JSON");
    let keys = set["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 1);
    for key in keys {
        assert_eq!((key["kty"].as_str(), key["alg"].as_str()), (Some("OKP"), Some("EdDSA")));
        assert!(key.get("d").is_none() && key.get("k").is_none(), "{key}");
    }
}
