//! Starting: configurations that cannot be meant, and the first accounts.

use reqwest::Method;
use rovuma_identity::{BootstrapClientConfig, Identity, IdentityConfig};
use rovuma_policy::Role;
use rovuma_runtime::{Context, SecretFile, SystemClock};

use crate::support::{ADMIN, Fixture, OFFICER, PASSWORD, config, secret};

async fn refusal(spoil: impl FnOnce(&mut IdentityConfig)) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    spoil(&mut config);
    let context = Context::new(SystemClock::shared());
    match Identity::open(&config, &context).await {
        Ok(_) => panic!("it started"),
        Err(fault) => format!("{fault:#}"),
    }
}

#[tokio::test]
async fn configurations_that_cannot_be_meant_are_refused_with_what_is_wrong() {
    let issuer = refusal(|config| config.issuer = "http://id.mz.example".into()).await;
    assert!(issuer.contains("https"), "{issuer}");
    let twice = refusal(|config| config.applications[1].client_id = "rovumactl".into()).await;
    assert!(twice.contains("twice"), "{twice}");
    let redirect =
        refusal(|config| config.applications[0].redirect_uris = vec!["http://evil.example/".into()]).await;
    assert!(redirect.contains("redirect URI"), "{redirect}");
    let days = refusal(|config| config.signing.rotate_after_days = 2).await;
    assert!(days.contains("rotate_after_days"), "{days}");
    let role = refusal(|config| config.bootstrap[0].roles = vec![Role::AgencySystem]).await;
    assert!(role.contains("for machines"), "{role}");
    let listen = refusal(|config| {
        config.http.behind_proxy = false;
        config.http.listen = "0.0.0.0:0".parse().expect("an address");
    });
    assert!(listen.await.contains("tls"));
}

#[tokio::test]
async fn weak_or_readable_first_passwords_are_refused() {
    let short = refusal(|config| {
        let folder = config.signing.directory.parent().expect("a folder").to_owned();
        config.bootstrap[0].password_file = SecretFile::new(secret(&folder, "short", "admin"));
    });
    assert!(short.await.contains("15 characters"));
    let readable = refusal(|config| {
        use std::os::unix::fs::PermissionsExt;
        let folder = config.signing.directory.parent().expect("a folder").to_owned();
        let path = secret(&folder, "open", PASSWORD);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("mode set");
        config.bootstrap[0].password_file = SecretFile::new(path);
    });
    assert!(readable.await.contains("chmod"));
}

#[tokio::test]
async fn an_account_that_is_there_is_left_as_it_is() {
    let service = Fixture::start().await;
    let folder = service.folder.path().to_owned();
    let mut changed = config(&folder);
    let other = secret(&folder, "other", "quite another password");
    for person in &mut changed.bootstrap {
        person.password_file = SecretFile::new(&other);
        person.roles = vec![Role::Auditor];
    }
    let service = service.restart(&changed).await;
    let page = service.page().await;
    assert_eq!(service.type_in(&page, OFFICER, "quite another password").await.status(), 401);
    let admin = service.token(ADMIN).await;
    let list = service.api(Method::GET, "/v1/users", &admin, None).await;
    assert_eq!(list.body["items"].as_array().expect("a list").len(), 2);
    assert_eq!(service.outcomes("user.create").await.len(), 3);
}

/// The account of one of the installation's own services: created once, with the secret of its file, and no other role than a machine's.
#[tokio::test]
async fn a_machine_client_is_there_from_the_start() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let client = |secret_file: SecretFile| BootstrapClientConfig {
        id: "mz.prm.watchlist".to_owned(),
        name: "Watchlist".to_owned(),
        roles: vec![Role::WatchlistService],
        secret_file,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut with_client = config(folder.path());
    with_client.bootstrap_clients = vec![client(SecretFile::new(secret(folder.path(), "machine", SECRET)))];
    let service = Fixture::start_with(folder, &with_client).await;
    let grant = [("grant_type", "client_credentials")];
    let token =
        |secret: &'static str| service.form_with_basic("/oauth2/token", ("mz.prm.watchlist", secret), &grant);
    assert_eq!(token(SECRET).await.status, 200);
    assert_eq!(token("0123456789abcdef0123456789abcdee").await.error(), (401, "invalid_client"));
    assert_eq!(service.outcomes("client.create").await, ["success"]);
    // Its file may be gone once it exists.
    std::fs::remove_file(service.folder.path().join("machine")).expect("removed");
    let service = service.restart(&with_client).await;
    assert_eq!(service.outcomes("client.create").await, ["success"]);

    for (spoil, reason) in [
        (
            Box::new(|client: &mut BootstrapClientConfig| client.roles = vec![Role::Supervisor])
                as Box<dyn Fn(&mut _)>,
            "for persons",
        ),
        (Box::new(|client: &mut BootstrapClientConfig| client.id = "watchlist".to_owned()), "AGENCY.NAME"),
    ] {
        let said = refusal(|config| {
            let folder = config.signing.directory.parent().expect("a folder").to_owned();
            let mut spoilt = client(SecretFile::new(secret(&folder, "machine", SECRET)));
            spoil(&mut spoilt);
            config.bootstrap_clients = vec![spoilt];
        });
        let said = said.await;
        assert!(said.contains(reason), "{said}");
    }
    let short = refusal(|config| {
        let folder = config.signing.directory.parent().expect("a folder").to_owned();
        config.bootstrap_clients = vec![client(SecretFile::new(secret(&folder, "machine", "tooshort")))];
    });
    assert!(short.await.contains("fewer than 32"));
}

#[tokio::test]
async fn a_bootstrap_password_that_must_be_changed_must_be_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    config.bootstrap[0].change_at_first_login = true;
    let service = Fixture::start_with(folder, &config).await;
    let page = service.page().await;
    let response = service.type_in(&page, ADMIN, PASSWORD).await;
    assert_eq!(response.status(), 200);
    assert!(response.text().await.expect("a page").contains("name=\"new\""));
}

#[tokio::test]
async fn no_password_or_secret_is_in_the_audit_log_and_a_name_only_where_the_account_began() {
    let service = Fixture::start().await;
    let _token = service.token(OFFICER).await;
    let page = service.page().await;
    service.type_in(&page, "mistyped.name", "my real password").await;
    let bodies = service.rows("SELECT body FROM trail_event").await;
    for body in &bodies {
        for personal in [PASSWORD, "mistyped", "my real", "10.0.0.1"] {
            assert!(!body.contains(personal), "{personal:?} in {body}");
        }
        let begins = body.contains("\"user.create\"");
        for name in [OFFICER, "Name of"] {
            assert!(begins || !body.contains(name), "{name:?} in {body}");
        }
    }
    assert!(bodies.iter().any(|body| body.contains(OFFICER)), "nobody could tell whose pseudonym it is");
}
