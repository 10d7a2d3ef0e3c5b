//! `--check-config` of each service refuses what its start refuses.

use std::{fs, path::Path, process::Command};

use anyhow::{Result, ensure};
use rovuma_lab::country::{SERVICES, WATCHLIST};
use rovuma_tests::{Lab, programs};

/// One bent line of a configuration, and what the refusal names.
type Bend = (&'static str, &'static str, &'static str);

const OF_ALL: [Bend; 5] = [
    ("[http]\nlisten = \"127.0.0.1:", "[http]\nlisten = \"0.0.0.0:", "is not a loopback address"),
    ("ca_file = \"", "ca_file = \"/nowhere", "/nowhere"),
    ("[broker]\nurl = \"amqps:", "[broker]\nurl = \"amqp:", "amqps://"),
    ("[log]\n", "[policy]\nfolder = \"/nowhere\"\n\n[log]\n", "access policies"),
    ("[log]\nformat = \"json\"\nfilter = \"", "[log]\nformat = \"json\"\nfilter = \"[", "log.filter"),
];

const OF_GATEWAY: [Bend; 4] = [
    ("authority_file = \"", "authority_file = \"/nowhere", "/nowhere"),
    ("\nsigning_key_file = \"", "\nsigning_key_file = \"/nowhere", "/nowhere"),
    ("ack_key_file = \"", "ack_key_file = \"/nowhere", "/nowhere"),
    ("[[agency]]\ncode = \"mz.", "[[agency]]\ncode = \"tz.", "tz."),
];

const OF_AUDIT: [Bend; 4] = [
    ("policy_file = \"", "policy_file = \"/nowhere", "/nowhere"),
    ("log_key_file = \"", "log_key_file = \"/nowhere", "/nowhere"),
    ("payload_key_file = \"", "payload_key_file = \"/nowhere", "/nowhere"),
    ("key_files = [\"", "key_files = [\"/nowhere", "/nowhere"),
];

const OF_WATCHLIST: [Bend; 6] = [
    ("client_secret_file = \"", "client_secret_file = \"/nowhere", "/nowhere"),
    ("key_file = \"", "key_file = \"/nowhere", "/nowhere"),
    ("[[agency]]\ncode = \"mz.", "[[agency]]\ncode = \"tz.", "tz."),
    ("legal_basis = \"", "legal_basis = \"none_", "legal_bases"),
    ("[screening]", "[screening]\nnational_office = \"mz.nobody\"", "national_office"),
    ("[\"namoto_kilambo\"]", "[\"nowhere\"]", "crossings"),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_service_checks_what_it_would_start_with() -> Result<()> {
    let lab = Lab::start().await?;
    let layout = lab.country("mz").layout();
    for service in SERVICES.into_iter().chain([WATCHLIST]) {
        let program = programs()?.join(format!("rovuma-{service}"));
        let sound = fs::read_to_string(layout.config(service))?;
        let bent_file = layout.config("bent");
        fs::write(&bent_file, &sound)?;
        let output = run(&program, &bent_file, true)?;
        ensure!(output.0 == Some(0) && !output.1.contains("warning"), "{service}: {output:?}");
        if service == "gateway" {
            keys_of_others_are_warned_of(&program, &bent_file, &sound)?;
        }
        let own: &[Bend] = match service {
            "gateway" => &OF_GATEWAY,
            "audit" => &OF_AUDIT,
            WATCHLIST => &OF_WATCHLIST,
            _ => &[],
        };
        for (from, to, said) in OF_ALL.iter().chain(own) {
            let bent = sound.replacen(from, to, 1);
            ensure!(bent != sound, "{service} has no {from:?}");
            fs::write(&bent_file, bent)?;
            for check in [true, false] {
                let (code, stderr) = run(&program, &bent_file, check)?;
                ensure!(code == Some(1), "{service} took {to:?} (check: {check}): {stderr}");
                ensure!(stderr.contains(said), "{service} {to:?} (check: {check}): {stderr}");
            }
        }
    }
    Ok(())
}

/// A gateway starts with a key that the trust list does not give its agency; its check warns.
fn keys_of_others_are_warned_of(program: &Path, bent_file: &Path, sound: &str) -> Result<()> {
    let keys: Vec<&str> = sound.lines().filter(|line| line.starts_with("signing_key_file = ")).collect();
    let [first, .., last] = keys[..] else { anyhow::bail!("two agencies are expected: {sound}") };
    fs::write(bent_file, sound.replacen(first, last, 1))?;
    let (code, stderr) = run(program, bent_file, true)?;
    ensure!(code == Some(0) && stderr.contains("is listed as a key of"), "{code:?}: {stderr}");
    Ok(())
}

fn run(program: &Path, config: &Path, check: bool) -> Result<(Option<i32>, String)> {
    let mut command = Command::new(program);
    command.arg("--config").arg(config);
    if check {
        command.arg("--check-config");
    }
    let output = command.output()?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}
