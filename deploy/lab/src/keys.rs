//! Makes a country's keys and its trust list with `rovumactl`, as an operator would.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use rovuma_schemas::AgencyCode;

use crate::{ctl::Ctl, layout::Layout, plan::CountryPlan};

/// The file names of the services' keys.
pub const SERVICE_KEYS: [&str; 5] =
    ["gateway.pem", "identity.pem", "audit.pem", "rovumactl.pem", "watchlist.pem"];

/// Draws missing keys, and signs the country's first trust list if there is none.
///
/// # Errors
/// When `rovumactl` fails.
pub fn prepare(ctl: &Ctl, layout: &Layout, plan: &CountryPlan) -> Result<()> {
    for folder in layout.folders() {
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    generate(ctl, "authority", &layout.key("authority.pem"), None)?;
    for name in SERVICE_KEYS {
        generate(ctl, "service", &layout.key(name), None)?;
    }
    generate(ctl, "sealing", &layout.key("audit.sealing.key"), None)?;
    generate(ctl, "service", &layout.key("audit.log.pem"), None)?;
    generate(ctl, "service", &layout.key("audit.witness.pem"), None)?;
    generate(ctl, "sealing", &layout.key("audit.payload.key"), None)?;
    for agency in plan.served() {
        generate(ctl, "signing", &layout.signing_key(&agency), Some(&agency))?;
        generate(ctl, "sealing", &layout.sealing_key(&agency), Some(&agency))?;
    }
    if !layout.trust_list(plan.country).exists() {
        sign_first_list(ctl, layout, plan)?;
    }
    let pinned = layout.authority(plan.country);
    if !pinned.exists() {
        fs::copy(layout.key("authority.jwk"), pinned).context("pinning our own authority")?;
    }
    Ok(())
}

/// Copies one country's trust list and authority key to another, as two people with a memory stick would.
///
/// # Errors
/// When a file cannot be copied.
pub fn hand_over(from: &Layout, to: &Layout, plan: &CountryPlan) -> Result<()> {
    let country = plan.country;
    for (source, target) in
        [(from.trust_list(country), to.trust_list(country)), (from.authority(country), to.authority(country))]
    {
        fs::copy(&source, &target).with_context(|| format!("copying {}", source.display()))?;
    }
    Ok(())
}

/// As [`hand_over`], for files that are not there yet: later lists are handed over by hand.
///
/// # Errors
/// When a file cannot be copied.
pub fn hand_over_first(from: &Layout, to: &Layout, plan: &CountryPlan) -> Result<()> {
    if to.trust_list(plan.country).exists() && to.authority(plan.country).exists() {
        return Ok(());
    }
    hand_over(from, to, plan)
}

/// Writes the policy of the audit logs once, and copies it to each country that has none yet.
///
/// # Errors
/// When `rovumactl` fails or a file cannot be copied.
pub fn agree_on_audit_policy(ctl: &Ctl, countries: &[(&Layout, &CountryPlan)]) -> Result<()> {
    let Some((first, _)) = countries.first() else { return Ok(()) };
    let policy = first.audit_policy();
    if !policy.exists() {
        let mut arguments: Vec<String> =
            ["audit", "policy", "--out", &path(&policy)].map(str::to_owned).to_vec();
        for (layout, plan) in countries {
            let country = plan.country;
            let (log, witness) = (layout.key("audit.log.jwk"), layout.key("audit.witness.jwk"));
            arguments.extend(["--log".to_owned(), format!("{country}={}", path(&log))]);
            arguments.extend(["--witness".to_owned(), format!("{country}={}", path(&witness))]);
        }
        ctl.run(arguments)?;
    }
    for (layout, _) in countries.iter().skip(1) {
        let target = layout.audit_policy();
        if target.exists() {
            continue;
        }
        fs::copy(&policy, &target).with_context(|| format!("writing {}", target.display()))?;
    }
    Ok(())
}

fn generate(ctl: &Ctl, purpose: &str, out: &Path, agency: Option<&AgencyCode>) -> Result<()> {
    if out.exists() {
        return Ok(());
    }
    let out = out.as_os_str().to_owned();
    let mut arguments = vec!["keys".into(), "generate".into(), purpose.into(), "--out".into(), out];
    if let Some(agency) = agency {
        arguments.extend(["--agency".into(), agency.as_str().into()]);
    }
    ctl.run(arguments).map(drop)
}

fn sign_first_list(ctl: &Ctl, layout: &Layout, plan: &CountryPlan) -> Result<()> {
    let draft = layout.trust_draft();
    // An interrupted start may have left a draft: remove it and begin again. Nobody has seen it.
    let _ = fs::remove_file(&draft);
    let draft = path(&draft);
    let authority = path(&layout.key("authority.jwk"));
    let country = plan.country.to_string();
    ctl.run(["trust", "new", "--country", &country, "--authority", &authority, "--draft", &draft])?;
    for agency in &plan.agencies {
        let name = format!("{}={}", agency.name.0, agency.name.1);
        let code = agency.code.as_str();
        ctl.run([
            "trust",
            "add-agency",
            code,
            "--draft",
            &draft,
            "--name",
            &name,
            "--parent",
            agency.parent,
        ])?;
    }
    for agency in plan.served() {
        let signing = path(&layout.signing_key(&agency).with_extension("jwk"));
        let sealing = path(&layout.sealing_key(&agency).with_extension("pub"));
        let code = agency.as_str();
        ctl.run(["trust", "add-key", code, "--draft", &draft, "--signing", &signing])?;
        ctl.run(["trust", "add-key", code, "--draft", &draft, "--sealing", &sealing])?;
    }
    let (key, out) = (path(&layout.key("authority.pem")), path(&layout.trust_list(plan.country)));
    ctl.run(["trust", "sign", "--draft", &draft, "--authority-key", &key, "--out", &out]).map(drop)
}

/// A path as an argument. A lab's folder was given as an argument or made here, so it is UTF-8.
pub(crate) fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
