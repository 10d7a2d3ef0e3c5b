//! Authlib, an OpenID Connect client, gets tokens from our identity provider.

use anyhow::Result;
use rovuma_tests::Lab;
use serde_json::{Value, json};

use crate::desk::ScriptFolder;

/// The agency whose people and machines log in.
const AGENCY: &str = "mz.prm";

fn facts(lab: &Lab) -> Result<Value> {
    let country = lab.country("mz");
    let person = |login: &str| json!({ "login": login, "password_file": country.layout().secret(login) });
    Ok(json!({
        "issuer": country.url("identity")?,
        "gateway": country.url("gateway")?,
        "audience": "rovuma",
        "client_id": "rovumactl",
        // Any port of a loopback address is valid (RFC 8252, section 7.3). Nothing listens there: the script reads
        // where the browser would be sent.
        "redirect_uri": "http://127.0.0.1:49152/callback",
        "agency": AGENCY,
        "role": "liaison_officer",
        "officer": person("officer.prm"),
        "admin": person("admin.prm"),
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn authlib_logs_an_officer_in() -> Result<()> {
    let lab = Lab::start().await?;
    ScriptFolder::new()?.run("person.py", &facts(&lab)?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn authlib_gets_tokens_for_machines() -> Result<()> {
    let lab = Lab::start().await?;
    ScriptFolder::new()?.run("machine.py", &facts(&lab)?).await
}
