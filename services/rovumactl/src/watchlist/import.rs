//! `rovumactl watchlist import`: sends a file, or OFAC's two, as they are read.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use futures::Stream;
use reqwest::{Body, Method, header};
use rovuma_api::answers::watchlist::ImportReport;
use tokio::{fs::File, io::AsyncReadExt as _};

use crate::{
    app::App,
    client::{ServerAnswer, segment},
    exit::{Exit, Failure, Outcome},
    output::safe,
    progress::BytesSent,
    session::{ApiServer, ServerArgs},
};

/// Bytes that are read from the file at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// Options of `watchlist import`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rovumactl watchlist import --source un consolidated.xml --dated 2026-11-28
  rovumactl watchlist import --source ofac sdn.csv --alt alt.csv --dry-run
  rovumactl watchlist import --source csv stolen.csv --name stolen-passports")]
pub(crate) struct Import {
    /// The form of the file
    #[arg(long)]
    source: Source,
    /// The file: the UN's consolidated XML, OFAC's sdn.csv, or a CSV
    file: PathBuf,
    /// OFAC's alt.csv, with the aliases of good quality
    #[arg(long, value_name = "FILE")]
    alt: Option<PathBuf>,
    /// The name of the list: a-z, 0-9, _ and - [default: un, ofac]
    #[arg(long)]
    name: Option<String>,
    /// The day on which it was published: 2026-11-28
    #[arg(long, value_name = "DAY")]
    dated: Option<String>,
    /// Only say what the file has, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// The form of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Source {
    /// The consolidated list of the United Nations Security Council, XML
    Un,
    /// The list of Specially Designated Nationals of the US Treasury: sdn.csv, with --alt alt.csv
    Ofac,
    /// A CSV with our own columns
    Csv,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Un => "un",
            Self::Ofac => "ofac",
            Self::Csv => "csv",
        }
    }
}

impl Import {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let name = match (&self.name, self.source) {
            (Some(name), _) => name.clone(),
            (None, Source::Csv) => {
                return Err(Failure::usage("a CSV has no usual name").next("give --name"));
            }
            (None, source) => source.as_str().to_owned(),
        };
        if self.alt.is_some() && self.source != Source::Ofac {
            return Err(Failure::usage("only --source ofac has a second file").next("leave --alt out"));
        }
        let (list, list_bytes) = open(&self.file).await?;
        let mut query =
            vec![("source", self.source.as_str().to_owned()), ("dry_run", self.dry_run.to_string())];
        query.extend(self.dated.clone().map(|day| ("dated", day)));
        let (mut files, mut all_bytes) = (vec![list], list_bytes);
        if let Some(alt) = &self.alt {
            // The aliases come first, because they are read first: the query says where they end.
            let (aliases, bytes) = open(alt).await?;
            files.insert(0, aliases);
            all_bytes += bytes;
            query.push(("aliases_bytes", bytes.to_string()));
        }
        let client = self.server.uploading_client(app, ApiServer::Watchlist).await?;
        let body = Body::wrap_stream(pieces(files, BytesSent::new(all_bytes)));
        let request = client
            .request(Method::POST, &format!("/v1/lists/{}", segment(&name)))?
            .query(&query)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, all_bytes)
            .body(body);
        let report: ServerAnswer<ImportReport> =
            client.send(request).await.map_err(|failure| explained(failure, &name))?;
        app.out.answer(&report, report_text)?;
        Ok(Exit::Ok)
    }
}

fn explained(failure: Failure, name: &str) -> Failure {
    if failure.is_refusal("needs_second_person") {
        return failure.next(format!("a colleague approves it: rovumactl watchlist approve {name}"));
    }
    failure
}

async fn open(path: &Path) -> Outcome<(File, u64)> {
    let failed = |error: io::Error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let file = File::open(path).await.map_err(failed)?;
    let metadata = file.metadata().await.map_err(failed)?;
    if !metadata.is_file() {
        return Err(Failure::usage(format!("{} is no file", path.display())));
    }
    Ok((file, metadata.len()))
}

/// The pieces of the files, one after the other.
fn pieces(files: Vec<File>, sent: BytesSent) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
    futures::stream::try_unfold(
        (files.into_iter(), None, sent),
        |(mut files, mut open, mut sent)| async move {
            loop {
                let Some(mut file) = open.take().or_else(|| files.next()) else { return Ok(None) };
                let mut piece = vec![0; PIECE_BYTES];
                let length = file.read(&mut piece).await?;
                if length > 0 {
                    piece.truncate(length);
                    sent.advance(length as u64);
                    return Ok(Some((piece, (files, Some(file), sent))));
                }
            }
        },
    )
}

fn report_text(f: &mut fmt::Formatter<'_>, report: &ImportReport) -> fmt::Result {
    let said = match report.result.as_str() {
        "loaded" => "is in force",
        "unchanged" => "is in force already: nothing was changed",
        "dry_run" => "was only read: nothing was changed",
        other => other,
    };
    writeln!(f, "{} ({}) {}", safe(&report.name), safe(&report.source), safe(said))?;
    if !report.reasons.is_empty() {
        writeln!(f, "it would need a second person: {}", safe(&report.reasons.join(", ")))?;
    }
    let counts = &report.counts;
    let births: Vec<String> = counts.births.iter().map(|(form, count)| format!("{form} {count}")).collect();
    let sections: Vec<String> =
        report.file.sections.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let before = report.records_before.map(|count| format!(" (before: {count})")).unwrap_or_default();
    for (label, value) in [
        ("records", format!("{}{before}", report.file.records)),
        ("sections", sections.join(", ")),
        ("persons", counts.persons.to_string()),
        ("organisations", counts.organisations.to_string()),
        ("aliases", format!("good {}, weak {}", counts.aliases_good, counts.aliases_weak)),
        ("dates of birth", births.join(", ")),
        ("documents", counts.documents.to_string()),
        ("ranges", counts.ranges.to_string()),
        ("vehicles", counts.vehicles.to_string()),
        ("skipped", counts.skipped.to_string()),
        ("dated", report.file.dated.clone().unwrap_or_else(|| "not said".to_owned())),
        ("digest", report.file.digest.clone()),
        ("encoding", report.encoding.clone()),
    ] {
        writeln!(f, "  {label:<14}  {}", safe(&value))?;
    }
    for warning in &report.warnings {
        writeln!(f, "warning: {}", safe(warning))?;
    }
    for skipped in &report.skipped {
        let record = skipped.record.as_ref().map(|id| format!(", record {id}")).unwrap_or_default();
        writeln!(f, "{}", safe(&format!("line {}{record}: {}", skipped.line, skipped.reason)))?;
    }
    let shown = report.skipped.len() as u64;
    if counts.skipped > shown { writeln!(f, "and {} more", counts.skipped - shown) } else { Ok(()) }
}
