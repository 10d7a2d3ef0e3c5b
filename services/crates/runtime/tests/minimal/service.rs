//! The smallest service: serves one route, and on demand does not want to end.

use std::process::ExitCode;

use axum::{Router, body::Bytes, routing::get};
use rovuma_runtime::{Context, ListenConfig, Service, http};
use serde::Deserialize;

struct Minimal;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    http: ListenConfig,
    /// `stays`: a task that ignores the soft shutdown; `panics`, `fails`: one that ends so;
    /// `refuses`: does not start; `unsound`: its configuration cannot work.
    #[serde(default)]
    behaviour: String,
}

impl Service for Minimal {
    const NAME: &'static str = "rovuma-minimal-service";
    const ABOUT: &'static str = "The smallest service, for tests.";
    type Config = Config;

    fn check(config: &Config) -> anyhow::Result<()> {
        http::check(&config.http)?;
        anyhow::ensure!(config.behaviour != "unsound", "this cannot work");
        Ok(())
    }

    async fn start(config: Config, context: &Context) -> anyhow::Result<()> {
        let router = Router::new().route("/", get(async || "here").post(async |body: Bytes| body));
        let address = http::serve(context, "http", &config.http, router)?;
        match config.behaviour.as_str() {
            "stays" => context.shutdown.spawn("deaf", std::future::pending()),
            "panics" => context.shutdown.spawn("faulty", async { panic!("lost its way") }),
            "fails" => {
                context.shutdown.spawn_fallible("failing", async { Err("nothing left to do") });
            }
            "refuses" => anyhow::bail!("will not start"),
            _ => {}
        }
        println!("{address}");
        Ok(())
    }
}

fn main() -> ExitCode {
    rovuma_runtime::main::<Minimal>()
}
