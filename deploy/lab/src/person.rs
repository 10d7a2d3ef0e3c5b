//! Logging people in as a browser would: the authorization request, the log-in page, the form, the code.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, bail};
use reqwest::{Client, Response, StatusCode, Url, header, redirect::Policy};
use rovuma_tokens::Pkce;
use serde_json::Value;

/// Where a native program would listen for the answer. Nothing listens here: the redirect is only read.
const REDIRECT: &str = "http://127.0.0.1/callback";

/// Logs a person in at the identity provider `issuer` and gives their access token.
///
/// # Errors
/// When the provider refuses, with what it said.
pub async fn log_in(issuer: &str, login: &str, password_file: &Path) -> Result<String> {
    let password = std::fs::read_to_string(password_file)
        .with_context(|| format!("reading {}", password_file.display()))?;
    let client = Client::builder().no_proxy().redirect(Policy::none()).build()?;
    let proof = Pkce::draw()?;
    let page = authorization_page(&client, issuer, &proof).await?;
    let code = submit(&client, &page, login, password.trim()).await?;
    exchange(&client, issuer, &code, &proof).await
}

/// The log-in page, as far as a form needs it.
struct Page {
    url: Url,
    cookie: String,
    token: String,
}

async fn authorization_page(client: &Client, issuer: &str, proof: &Pkce) -> Result<Page> {
    let challenge = &proof.challenge;
    let url = Url::parse_with_params(
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
    )?;
    let answer = client.get(url.clone()).send().await?;
    let cookie = cookie_of(&answer).context("the log-in page set no cookie")?;
    let html = answer.text().await?;
    let token = between(&html, "name=\"form\" value=\"", "\"").context("the log-in page has no form")?;
    Ok(Page { url, cookie, token })
}

async fn submit(client: &Client, page: &Page, login: &str, password: &str) -> Result<String> {
    let form = HashMap::from([("form", page.token.as_str()), ("login", login), ("password", password)]);
    let request = client.post(page.url.clone()).header(header::COOKIE, &page.cookie).form(&form);
    let answer = request.send().await?;
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let Some(location) = location else {
        bail!("{login} was not let in: the identity provider answered {}", answer.status());
    };
    let location = Url::parse(location)?;
    let code = location.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
    code.with_context(|| format!("no code in {location}"))
}

async fn exchange(client: &Client, issuer: &str, code: &str, proof: &Pkce) -> Result<String> {
    let form = HashMap::from([
        ("grant_type", "authorization_code"),
        ("client_id", "rovumactl"),
        ("redirect_uri", REDIRECT),
        ("code", code),
        ("code_verifier", proof.verifier.as_str()),
    ]);
    let answer = client.post(format!("{issuer}/oauth2/token")).form(&form).send().await?;
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
