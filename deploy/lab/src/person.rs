//! Logs people in as a browser would: authorization request, log-in page, form, code. Logs machines in with
//! their secret.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, bail};
use reqwest::{Client, Response, StatusCode, Url, header, redirect::Policy};
use rovuma_tokens::Pkce;
use serde_json::Value;

/// The redirect address of a native program. Nothing listens there: only the redirect is read.
const REDIRECT: &str = "http://127.0.0.1/callback";

/// Logs a person in at the identity provider `issuer`, and returns the access token.
///
/// # Errors
/// When the provider refuses; the error has its answer.
pub async fn log_in(issuer: &str, login: &str, password_file: &Path) -> Result<String> {
    let password = std::fs::read_to_string(password_file)
        .with_context(|| format!("reading {}", password_file.display()))?;
    let client = browser()?;
    let proof = Pkce::draw()?;
    let page = authorization_page(&client, authorization_url(issuer, &proof)?).await?;
    let location = submit(&client, &page, login, password.trim()).await?;
    let code = location.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
    let code = code.with_context(|| format!("no code in {location}"))?;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "rovumactl"),
        ("redirect_uri", REDIRECT),
        ("code", &code),
        ("code_verifier", &proof.verifier),
    ];
    exchange(&client, issuer, &form).await
}

/// Logs a person in at the address that a program printed, and follows the redirect back to the program.
/// Returns the program's answer to the browser.
///
/// # Errors
/// When the provider refuses or the program does not accept the code; the error has the answer.
pub async fn log_in_for_a_program(address: &str, login: &str, password_file: &Path) -> Result<String> {
    let password = std::fs::read_to_string(password_file)
        .with_context(|| format!("reading {}", password_file.display()))?;
    let client = browser()?;
    let page = authorization_page(&client, Url::parse(address)?).await?;
    let back = submit(&client, &page, login, password.trim()).await?;
    let answer = client.get(back).send().await.context("going back to the program")?;
    let (status, text) = (answer.status(), answer.text().await?);
    if !status.is_success() {
        bail!("the program did not take the answer: {status} {text}");
    }
    Ok(text)
}

/// Logs a machine in with its secret, and returns the access token.
///
/// # Errors
/// When the provider refuses; the error has its answer.
pub async fn log_in_machine(issuer: &str, client_id: &str, secret: &str) -> Result<String> {
    let form = [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", secret)];
    exchange(&browser()?, issuer, &form).await
}

fn browser() -> Result<Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder().no_proxy().redirect(Policy::none()).build()?)
}

/// The parts of the log-in page that its form needs.
struct LoginForm {
    url: Url,
    cookie: String,
    token: String,
}

fn authorization_url(issuer: &str, proof: &Pkce) -> Result<Url> {
    let challenge = &proof.challenge;
    Ok(Url::parse_with_params(
        &format!("{issuer}/oauth2/authorize"),
        [
            ("client_id", "rovumactl"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "lab"),
            ("code_challenge_method", "S256"),
            ("code_challenge", challenge.as_str()),
        ],
    )?)
}

async fn authorization_page(client: &Client, url: Url) -> Result<LoginForm> {
    let answer = client.get(url.clone()).send().await?;
    let cookie = cookie_of(&answer).context("the log-in page set no cookie")?;
    let html = answer.text().await?;
    let token = between(&html, "name=\"form\" value=\"", "\"").context("the log-in page has no form")?;
    Ok(LoginForm { url, cookie, token })
}

/// Sends the form, and returns the address to which a successful log-in redirects.
async fn submit(client: &Client, page: &LoginForm, login: &str, password: &str) -> Result<Url> {
    let form = HashMap::from([("form", page.token.as_str()), ("login", login), ("password", password)]);
    let request = client.post(page.url.clone()).header(header::COOKIE, &page.cookie).form(&form);
    let answer = request.send().await?;
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let Some(location) = location else {
        bail!("{login} was not let in: the identity provider answered {}", answer.status());
    };
    Ok(Url::parse(location)?)
}

async fn exchange(client: &Client, issuer: &str, form: &[(&str, &str)]) -> Result<String> {
    let answer = client.post(format!("{issuer}/oauth2/token")).form(form).send().await?;
    let status = answer.status();
    let body: Value = answer.json().await?;
    match (status, body["access_token"].as_str()) {
        (StatusCode::OK, Some(token)) => Ok(token.to_owned()),
        _ => bail!("no token: {status} {body}"),
    }
}

fn cookie_of(answer: &Response) -> Option<String> {
    let value = answer.headers().get(header::SET_COOKIE)?.to_str().ok()?;
    Some(value.split(';').next()?.to_owned())
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(rest[..rest.find(after)?].to_owned())
}
