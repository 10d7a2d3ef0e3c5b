//! An agency is added to a running exchange, in the order of `deploy/agency.md`: keys, trust list, broker, gateway, users. The
//! fixture stands in for what the page leaves to the operator (folders, restarts by systemd).

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use anyhow::{Context, Result, ensure};
use rovuma_lab::{certs::write_private, country::STOP_GRACE, ctl::Ctl};
use rovuma_tests::{
    Lab, drafts, programs,
    trust::{hand_over, revise, words},
};
use serde_json::{Value, json};

const AGENCY: &str = "mz.at";

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_that_is_added_step_by_step_sends_and_receives() -> Result<()> {
    let mut lab = Lab::start().await?;
    let layout = lab.border.mz.layout().clone();
    let agency = AGENCY.parse()?;
    let text = |path: &Path| path.display().to_string();

    // 1 Keys.
    let ctl = Ctl::new(&programs()?);
    let (signing, sealing) = (layout.signing_key(&agency), layout.sealing_key(&agency));
    ctl.run(["keys", "generate", "signing", "--out", &text(&signing), "--agency", AGENCY])?;
    ctl.run(["keys", "generate", "sealing", "--out", &text(&sealing), "--agency", AGENCY])?;

    // 2 Trust list.
    let (jwk, recipient) = (signing.with_extension("jwk"), sealing.with_extension("pub"));
    let list = revise(
        &layout,
        &[
            words(&["trust", "add-agency", AGENCY, "--name", "pt=Autoridade Tributária de Moçambique"]),
            words(&["trust", "add-key", AGENCY, "--signing", &text(&jwk)]),
            words(&["trust", "add-key", AGENCY, "--sealing", &text(&recipient)]),
        ],
    )?;
    hand_over(&lab, &list)?;

    // 3 Gateway.
    let section = format!(
        "\n[[agency]]\ncode = \"{AGENCY}\"\nsigning_key_file = \"{}\"\nsealing_key_files = [\"{}\"]\n",
        text(&signing),
        text(&sealing)
    );
    append(&layout.config("gateway"), &section)?;

    // 4 Broker.
    let mut topology: Value = serde_json::from_slice(&fs::read(layout.topology())?)?;
    let agencies = topology.pointer_mut("/gateways/0/agencies").and_then(Value::as_array_mut);
    agencies.context("the gateway's agencies")?.push(json!(AGENCY));
    fs::write(layout.topology(), serde_json::to_string_pretty(&topology)?)?;
    lab.border.declare(lab.nodes).await?;
    let kept: Value = serde_json::from_slice(&fs::read(layout.topology())?)?;
    ensure!(kept == topology, "what was added to the topology is gone: {kept}");

    // 5 The first accounts: an administrator, and the officer that the administrator would make.
    for (login, role) in [("admin.at", "agency_admin"), ("officer.at", "liaison_officer")] {
        let password = layout.secret(login);
        write_private(&password, "nine grey herons over the river\n")?;
        let account = format!(
            "\n[[bootstrap]]\nagency = \"{AGENCY}\"\nlogin = \"{login}\"\nname = \"{login}\"\nroles = [\"{role}\"]\n\
             password_file = \"{}\"\nchange_at_first_login = false\n",
            text(&password)
        );
        append(&layout.config("identity"), &account)?;
    }

    // 6 Restart.
    for service in ["identity", "gateway"] {
        let mut process = lab.border.mz.take_service(service)?;
        process.stop(STOP_GRACE).await.context("it stayed")?;
        lab.border.mz.start_service(service)?;
        lab.border.mz.ready(service).await?;
    }

    // 7 and 8 People, and the first alerts, out and in.
    let admin = lab.api(AGENCY, "admin", "identity").await?;
    let users = admin.get("/v1/users").await?.ok()?;
    ensure!(users["items"].as_array().map(Vec::len) == Some(2), "{users}");
    let (ours, theirs) = (lab.officer(AGENCY).await?, lab.officer("tz.tpf").await?);
    let out = lab.send(AGENCY, &drafts::motorcycle(&["tz.tpf", "mz.prm"])).await?;
    lab.hops(&ours, &out, "delivered", 2).await?;
    let back = lab.send("tz.tpf", &drafts::motorcycle(&[AGENCY])).await?;
    lab.hops(&theirs, &back, "delivered", 1).await?;
    Ok(())
}

fn append(file: &Path, text: &str) -> Result<()> {
    let mut file = OpenOptions::new().append(true).open(file)?;
    Ok(file.write_all(text.as_bytes())?)
}
