//! `audit policy`: writes the policy that says whose cosignatures the heads of audit logs need.

use std::{
    fmt::{self, Write as _},
    path::PathBuf,
    str::FromStr,
};

use clap::Args;
use rovuma_schemas::CountryCode;
use rovuma_tlog::{LogPolicy, NoteKey};
use serde::Serialize;

use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    files, keys,
};

/// Default number of years in a policy. A log begins every year; a policy is handed over by people, so it should last for
/// several years.
const YEARS: u16 = 10;

/// Options of `audit policy`.
#[derive(Debug, Args)]
pub(crate) struct MakePolicy {
    /// A country's log key, public (JWK): mz=audit-log.jwk; once for each country
    #[arg(long = "log", value_name = "COUNTRY=FILE", required = true)]
    logs: Vec<CountryKey>,
    /// A country's witness key, public (JWK): mz=audit-witness.jwk; once for each country
    #[arg(long = "witness", value_name = "COUNTRY=FILE", required = true)]
    witnesses: Vec<CountryKey>,
    /// The first year whose logs it names [default: this one]
    #[arg(long, value_name = "YEAR")]
    from: Option<i16>,
    /// For how many years
    #[arg(long, default_value_t = YEARS)]
    years: u16,
    /// The name of a further log, begun after a restore: mz.audit/2026-2
    #[arg(long = "also", value_name = "ORIGIN")]
    also: Vec<String>,
    /// The file to write the policy to
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// A country, and the file with its public key.
#[derive(Clone, Debug)]
struct CountryKey {
    country: CountryCode,
    file: PathBuf,
}

impl FromStr for CountryKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (country, file) = text.split_once('=').ok_or("give COUNTRY=FILE, as in mz=audit-log.jwk")?;
        let country = country.parse().map_err(|fault| format!("{fault}"))?;
        Ok(Self { country, file: file.into() })
    }
}

/// The result of `audit policy`.
#[derive(Serialize)]
struct PolicySummary {
    file: PathBuf,
    logs: usize,
    witnesses: usize,
}

impl fmt::Display for PolicySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "policy   {}", self.file.display())?;
        write!(f, "names    {} logs, and {} witnesses who must all cosign", self.logs, self.witnesses)
    }
}

impl MakePolicy {
    pub(crate) fn run(self, app: &App) -> Outcome {
        files::must_be_new(&self.out)?;
        let from = self.from.unwrap_or_else(|| app.now().year());
        let until = from.saturating_add(i16::try_from(self.years).unwrap_or(i16::MAX));
        let mut text = String::from(
            "# Which audit logs there are, and who must cosign their heads (c2sp.org/tlog-policy).\n",
        );
        for CountryKey { country, file } in &self.logs {
            let key = keys::read_public_key(file)?;
            let service = format!("{country}.audit");
            let yearly = (from..until).map(|year| format!("{service}/{year}"));
            let also = self.also.iter().filter(|origin| origin.starts_with(&format!("{service}/"))).cloned();
            for origin in yearly.chain(also) {
                let key =
                    NoteKey::of_log(&origin, &key).map_err(|fault| Failure::usage(fault.to_string()))?;
                push_line(&mut text, format_args!("log {key}"));
            }
        }
        for CountryKey { country, file } in &self.witnesses {
            let key = keys::read_public_key(file)?;
            let key = NoteKey::of_cosigner(&format!("{country}.audit"), &key);
            let key = key.map_err(|fault| Failure::usage(fault.to_string()))?;
            push_line(&mut text, format_args!("witness {country} {key}"));
        }
        let names: Vec<String> = self.witnesses.iter().map(|witness| witness.country.to_string()).collect();
        push_line(&mut text, format_args!("group countries all {}", names.join(" ")));
        push_line(&mut text, format_args!("quorum countries"));
        let policy: LogPolicy = text.parse().map_err(|fault| Failure::usage(format!("{fault}")))?;
        files::create_public(&self.out, &text)?;
        app.out.show(&PolicySummary { file: self.out, logs: policy.logs().len(), witnesses: names.len() })?;
        Ok(Exit::Ok)
    }
}

/// Appends a line. Writing to a `String` cannot fail.
fn push_line(text: &mut String, content: fmt::Arguments<'_>) {
    let _ = writeln!(text, "{content}");
}
