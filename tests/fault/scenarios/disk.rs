//! No free space: on the broker's disk, and on the store's.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail, ensure};
use rovuma_lab::{api::Api, country::STOP_GRACE};
use rovuma_tests::{drafts, eventually, quick};
use serde_json::json;

use crate::{
    chance::Chance,
    reconcile::{FaultReport, reconcile},
    stage::{RunningCountries, TestBed},
    traffic::{Accepted, DIRECTIONS, Traffic},
};

/// More free space than any disk has: the broker accepts nothing more.
const NEVER_ENOUGH: u64 = 1 << 60;

/// The broker's usual limit of free space.
const ENOUGH: u64 = 256 << 20;

/// Room for the stores of three services and their write-ahead logs; the rest is filled.
const SMALL_DISK: &str = "size=96m";

pub(super) async fn run(ground: &mut TestBed, mut chance: Chance, messages: u32) -> Result<FaultReport> {
    let border = ground.prepare(&quick()).await?;
    let mut stage = RunningCountries { border };
    let data = stage.border.mz.layout().data("");
    let _mounted = MountedDisk::on(&data)?;
    stage.border.start(|_| ()).await?;

    // The broker's disk: messages are accepted and wait; afterwards they are sent.
    ground.nodes.mz.limit_free_disk(NEVER_ENOUGH).await?;
    let mut accepted = Traffic::start(&stage, messages.min(50)).await?.accepted().await?;
    tokio::time::sleep(chance.pause(100..500)).await;
    ground.nodes.mz.limit_free_disk(ENOUGH).await?;
    reconcile(&stage, &accepted).await?;

    // The store's disk: a clear refusal, and accepted messages stay.
    let api = stage.api("mz.prm", "officer", "gateway").await?;
    let filler = data.join("filler");
    fill(&filler)?;
    let refused = post_until_refused(&api, &mut accepted).await?;
    std::fs::remove_file(&filler)?;
    let created = eventually("there is room again", || async {
        let answer = api.post("/v1/drafts", &drafts::motorcycle(&DIRECTIONS[0].recipients)).await?;
        Ok(answer.status.is_success().then_some(answer))
    })
    .await?;
    release(&api, created.etag.clone().unwrap_or_default(), created.ok()?, &mut accepted).await?;
    let report = reconcile(&stage, &accepted).await?;
    for service in ["gateway", "identity", "audit"] {
        let mut process = stage.country("mz").take_service(service)?;
        process.stop(STOP_GRACE).await.with_context(|| format!("{service} stayed"))?;
    }
    Ok(report.note(format!("refused with {refused}")))
}

/// A small disk mounted in the place of a folder, for as long as the value lives.
struct MountedDisk<'a>(&'a Path);

impl<'a> MountedDisk<'a> {
    fn on(folder: &'a Path) -> Result<Self> {
        // Move the folder's own files to the small disk.
        let kept = folder.with_file_name("data.kept");
        succeed(Command::new("cp").arg("-a").arg(folder).arg(&kept))?;
        succeed(Command::new("mount").args(["-t", "tmpfs", "-o", SMALL_DISK, "tmpfs"]).arg(folder))
            .context("a small disk needs root")?;
        let mounted = Self(folder);
        succeed(Command::new("cp").arg("-a").arg(format!("{}/.", kept.display())).arg(folder))?;
        Ok(mounted)
    }
}

impl Drop for MountedDisk<'_> {
    fn drop(&mut self) {
        // Lazily, because a process may have a file on it open for a moment longer.
        let _ = succeed(Command::new("umount").arg("--lazy").arg(self.0));
    }
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Fills the disk.
fn fill(file: &Path) -> Result<()> {
    let mut command = Command::new("dd");
    command.args(["if=/dev/zero", "bs=4096", "status=none"]).arg(format!("of={}", file.display()));
    ensure!(!command.output()?.status.success(), "the disk was not full afterwards");
    Ok(())
}

/// Posts until the gateway refuses, and returns the problem's code.
async fn post_until_refused(api: &Api, accepted: &mut Vec<Accepted>) -> Result<String> {
    for _ in 0..5_000 {
        let answer = api.post("/v1/drafts", &drafts::motorcycle(&DIRECTIONS[0].recipients)).await?;
        if answer.status.is_success() {
            let etag = answer.etag.clone().unwrap_or_default();
            if let Some(code) = release(api, etag, answer.ok()?, accepted).await? {
                return Ok(code);
            }
            continue;
        }
        ensure!(answer.status.as_u16() == 507, "{}: {}", answer.status, answer.body);
        return Ok(answer.body["code"].as_str().unwrap_or_default().to_owned());
    }
    bail!("a full disk was never noticed")
}

/// Releases a draft. Returns the code of the refusal, if it was refused for lack of space.
async fn release(
    api: &Api,
    etag: String,
    draft: serde_json::Value,
    accepted: &mut Vec<Accepted>,
) -> Result<Option<String>> {
    let id = draft["id"].as_str().context("an id")?.to_owned();
    let answer = api.post_if_match(&format!("/v1/drafts/{id}/release"), &json!({}), &etag).await?;
    if answer.status.as_u16() == 507 {
        return Ok(Some(answer.body["code"].as_str().unwrap_or_default().to_owned()));
    }
    answer.ok()?;
    accepted.push(Accepted {
        id,
        sender: DIRECTIONS[0].sender,
        recipients: DIRECTIONS[0].recipients.to_vec(),
    });
    Ok(None)
}
