//! A country's authority at work, and what the other country gets of it.

use std::{fs, path::PathBuf};

use anyhow::Result;
use rovuma_lab::{ctl::Ctl, layout::Layout};
use rovuma_schemas::CountryCode;

use crate::{Lab, programs};

/// Revises Mozambique's list with these `rovumactl trust` steps and signs it; the signed list.
///
/// # Errors
/// When a step is refused.
pub fn revise(layout: &Layout, steps: &[Vec<String>]) -> Result<Vec<u8>> {
    revise_list(layout, "mz".parse()?, steps)
}

/// The same of the list of `country`, in that country's own folder.
///
/// # Errors
/// When a step is refused.
pub fn revise_list(layout: &Layout, country: CountryCode, steps: &[Vec<String>]) -> Result<Vec<u8>> {
    let ctl = Ctl::new(&programs()?);
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let (list, authority) = (text(layout.trust_list(country)), text(layout.authority(country)));
    let draft = text(layout.trust_draft());
    let _ = fs::remove_file(&draft);
    ctl.run(["trust", "revise", &list, "--authority", &authority, "--draft", &draft])?;
    for step in steps {
        let mut arguments = step.clone();
        arguments.extend(["--draft".to_owned(), draft.clone()]);
        ctl.run(arguments)?;
    }
    let key = text(layout.key("authority.pem"));
    ctl.run(["trust", "sign", "--draft", &draft, "--authority-key", &key, "--out", &list])?;
    Ok(fs::read(&list)?)
}

/// The words of one step.
pub fn words(step: &[&str]) -> Vec<String> {
    step.iter().map(ToString::to_string).collect()
}

/// Hands a list to Tanzania, in one move as a file system does it.
///
/// # Errors
/// When it cannot be written.
pub fn hand_over(lab: &Lab, list: &[u8]) -> Result<()> {
    let target = lab.border.tz.layout().trust_list("mz".parse()?);
    Ok(rovuma_files::replace(&target, list, 0o644)?)
}
