//! The stories of the quickstart, on two countries of their own.

use anyhow::Result;
use rovuma_lab::story;
use rovuma_tests::{Lab, programs};

/// An alert's life through the command line of both sides, with a key that is lost on the way.
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_lives_from_its_issue_to_the_last_certificate() -> Result<()> {
    let mut lab = Lab::start().await?;
    let steps = story::alert::play(&mut lab.border, &programs()?, &|line| println!("{line}")).await?;
    assert!(steps >= 15, "{steps} steps");
    Ok(())
}
