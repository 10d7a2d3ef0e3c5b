//! An agency's own system, a script of sixty lines, answers what its database holds.

use anyhow::{Context, Result, ensure};
use rovuma_lab::person;
use rovuma_tests::{Lab, eventually};
use serde_json::{Value, json};

use crate::desk::{ScriptFolder, schema_file};

/// What the registry of Tanzania's police holds.
const VEHICLES: &str = "plate,country,chassis_number,make,colour,owner\n\
                        MC 123 EXA,TZA,MD2EXAMPLE0000481,Exemplo,red,Asha Mfano\n";

/// A request with two questions that a registry answers.
fn request(plate: &str) -> Result<Value> {
    let mut draft: Value =
        serde_json::from_slice(&std::fs::read(schema_file("examples/valid/request-vehicle.json"))?)?;
    draft["recipients"] = json!(["tz.tpf"]);
    draft["body"]["questions"].as_array_mut().context("questions")?.truncate(2);
    draft["body"]["subjects"]["vehicles"][0]["plate"]["number"] = json!(plate);
    let body = draft["body"].as_object_mut().context("a body")?;
    for member in ["needed_by", "related", "group", "also_sent"] {
        body.remove(member);
    }
    Ok(draft)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_answers_by_itself() -> Result<()> {
    let lab = Lab::start().await?;
    let (desk, tanzania) = (ScriptFolder::new()?, lab.country("tz"));
    let admin = tanzania.layout().secret("admin.tpf");
    let token = person::log_in(&tanzania.url("identity")?, "admin.tpf", &admin).await?;
    let client =
        json!({ "id": "tz.tpf.registry", "name": "Registry of vehicles", "roles": ["agency_system"] });
    let registered: Value = reqwest::Client::builder()
        .no_proxy()
        .build()?
        .post(format!("{}/v1/clients", tanzania.url("identity")?))
        .bearer_auth(token)
        .json(&client)
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let secret = registered["client_secret"].as_str().context("a secret")?;

    let known = lab.send("mz.prm", &request("MC-123 exa")?).await?;
    let unknown = lab.send("mz.prm", &request("MC 999 EXA")?).await?;
    let facts = json!({
        "issuer": tanzania.url("identity")?,
        "gateway": tanzania.url("gateway")?,
        "client_id": "tz.tpf.registry",
        "secret_file": desk.put("secret", secret)?,
        "openapi": schema_file("openapi/gateway.json"),
        "vehicles": desk.put("vehicles.csv", VEHICLES)?,
        "answers": 2,
    });
    desk.run("answer_vehicles.py", &facts).await?;

    let officer = lab.officer("mz.prm").await?;
    for (id, expected) in [(known, ["found", "found"]), (unknown, ["no_record", "no_record"])] {
        let path = format!("/v1/cases/request/mz.prm/{id}");
        let answered = eventually("the answer", async || {
            let case = officer.get(&path).await?.ok()?;
            Ok((case["case"]["state"] == "answered").then_some(case))
        })
        .await?;
        let questions = answered["request"]["questions"].as_array().context("questions")?;
        let results: Vec<&str> = questions.iter().filter_map(|one| one["result"].as_str()).collect();
        ensure!(results == expected, "{answered}");
    }
    Ok(())
}
