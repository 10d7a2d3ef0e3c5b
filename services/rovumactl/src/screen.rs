//! `rovumactl screen`: screens what an officer scanned or typed.

mod file;
mod text;

use std::path::PathBuf;

use clap::{ArgGroup, Args, builder::PossibleValuesParser};
use reqwest::Method;
use rovuma_api::answers::watchlist::{Screening, Screenings};
use serde_json::{Value, json};

use crate::{
    app::App,
    cases::text::codes,
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
    follow::put,
    progress::Counter,
    reading::LanguageArgs,
    session::{ApiServer, ServerArgs},
};

/// Maximum texts of one request, as the watchlist takes them.
const ITEMS_MAX: usize = 100;

/// What a text may be, as the watchlist names it.
const KINDS: [&str; 11] = [
    "mrz",
    "document",
    "nida",
    "bi",
    "plate",
    "vin",
    "chassis_number",
    "engine_number",
    "imei",
    "serial",
    "name",
];

/// Options of `screen`.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("what").args(["text", "file"]).required(true)),
    group(ArgGroup::new("occasion").args(["post", "purpose"]).required(true)),
    after_help = "Examples:
  rovumactl screen AB123001 --kind document --state MOZ --type passport --confirmed --post namoto_kilambo --direction entry
  rovumactl screen --file ferry.txt --post namoto_kilambo --direction exit
  rovumactl screen 'MC 123 ABC' --kind plate --purpose investigation --reference 114/2026

The exit status is 0 whatever the verdict. With --fail-on-hit it is 8 when a verdict is a hit."
)]
pub(crate) struct Screen {
    /// The text: a number, a plate, or the lines of a machine readable zone
    text: Option<String>,
    /// A file, - for standard input: one text a line; a zone of two or three lines stands between empty lines
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What the text is [default: everything that it may be is looked for]
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS))]
    kind: Option<String>,
    /// The state that issued the document or registered the vehicle: MOZ
    #[arg(long, value_name = "CODE")]
    state: Option<String>,
    /// The type of the document
    #[arg(long = "type", value_name = "CODE", value_parser = PossibleValuesParser::new(codes("document_types")))]
    document_type: Option<String>,
    /// An officer compared the text with the document or plate
    #[arg(long)]
    confirmed: bool,
    /// The make of the vehicle, as the officer sees it
    #[arg(long)]
    make: Option<String>,
    /// The colour of the vehicle
    #[arg(long, value_parser = PossibleValuesParser::new(codes("colours")))]
    colour: Option<String>,
    /// The type of the vehicle
    #[arg(long, value_parser = PossibleValuesParser::new(codes("vehicle_types")))]
    vehicle_type: Option<String>,
    /// The border post where it crosses
    #[arg(long, requires = "direction", value_parser = PossibleValuesParser::new(codes("crossings")))]
    post: Option<String>,
    /// The direction of the crossing
    #[arg(long, requires = "post", value_parser = PossibleValuesParser::new(codes("directions")))]
    direction: Option<String>,
    /// The traveller asks for protection: nothing is told to another state
    #[arg(long, requires = "post")]
    asks_protection: bool,
    /// Outside a crossing: why you look it up
    #[arg(long, requires = "reference", value_parser = PossibleValuesParser::new(codes("purposes")))]
    purpose: Option<String>,
    /// Outside a crossing: the file to which it belongs. It is logged, and names nobody
    #[arg(long, requires = "purpose")]
    reference: Option<String>,
    /// End with the status 8 when a verdict is a hit
    #[arg(long)]
    fail_on_hit: bool,
    #[command(flatten)]
    language: LanguageArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl Screen {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let texts = match (&self.text, &self.file) {
            (Some(text), _) => vec![file::Text { line: 1, text: text.clone() }],
            (None, Some(path)) => file::read(path)?,
            // clap asks for one of them.
            (None, None) => Vec::new(),
        };
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        let mut screened = Vec::with_capacity(texts.len());
        let mut progress = Counter::new("texts screened");
        progress.expect(texts.len() as u64);
        for chunk in texts.chunks(ITEMS_MAX) {
            screened.extend(self.screen(&client, chunk).await?);
            chunk.iter().for_each(|_| progress.advance());
        }
        drop(progress);
        self.show(app, &texts, screened)
    }

    /// Screens up to [`ITEMS_MAX`] texts.
    async fn screen(&self, client: &Client, texts: &[file::Text]) -> Outcome<Vec<ServerAnswer<Screening>>> {
        let items: Vec<Value> = texts.iter().map(|text| self.item(&text.text)).collect();
        let mut body = json!({ "items": items });
        if let Some(post) = &self.post {
            body["crossing"] =
                json!({ "post": post, "direction": self.direction, "asks_protection": self.asks_protection });
        }
        if let Some(purpose) = &self.purpose {
            body["purpose"] = json!({ "code": purpose, "reference": self.reference });
        }
        let request = client.request(Method::POST, "/v1/screen")?.json(&body);
        let answer: ServerAnswer<Screenings> = client.send(request).await?;
        let raw = answer.raw["items"].as_array().cloned().unwrap_or_default();
        if answer.value.items.len() != texts.len() {
            return Err(Failure::unreachable("the watchlist did not answer every text")
                .next("screen them again, or telephone the duty desk"));
        }
        Ok(answer.value.items.into_iter().zip(raw).map(|(value, raw)| ServerAnswer { value, raw }).collect())
    }

    fn item(&self, text: &str) -> Value {
        let mut item = json!({ "text": text, "confirmed": self.confirmed });
        put(&mut item, "kind", self.kind.clone());
        put(&mut item, "state", self.state.clone());
        put(&mut item, "document_type", self.document_type.clone());
        let mut vehicle = json!({});
        put(&mut vehicle, "make", self.make.clone());
        put(&mut vehicle, "colour", self.colour.clone());
        put(&mut vehicle, "vehicle_type", self.vehicle_type.clone());
        if vehicle != json!({}) {
            item["vehicle"] = vehicle;
        }
        item
    }

    fn show(&self, app: &App, texts: &[file::Text], screened: Vec<ServerAnswer<Screening>>) -> Outcome {
        let locale = self.language.locale();
        let is_hit = screened.iter().any(|one| one.value.verdict == "hit");
        if self.file.is_none() {
            for one in &screened {
                app.out.answer(one, |f, screening| text::one(f, screening, locale))?;
            }
        } else {
            let raw = json!({ "items": screened.iter().map(|one| &one.raw).collect::<Vec<_>>() });
            let value: Vec<_> = texts.iter().zip(screened.iter().map(|one| &one.value)).collect();
            app.out.answer(&ServerAnswer { raw, value }, |f, rows| text::several(f, rows, locale))?;
        }
        Ok(if is_hit && self.fail_on_hit { Exit::Found } else { Exit::Ok })
    }
}
