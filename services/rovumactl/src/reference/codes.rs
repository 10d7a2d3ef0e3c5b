//! `rovumactl codes`: the code lists that drafts are written with.

use std::fmt;

use clap::Args;
use rovuma_api::answers::gateway::{Code, Codes as CodesAnswer};
use rovuma_schemas::{CodeLists, Locale};
use serde::Serialize;
use serde_json::Value;

use crate::{
    app::App,
    client::{ServerAnswer, segment},
    exit::{Exit, Failure, Outcome},
    output::{safe, table},
    reading::LanguageArgs,
    session::{ApiServer, ServerArgs},
};

/// Options of `codes`.
#[derive(Debug, Args)]
pub(crate) struct Codes {
    /// The list; without it, the lists are listed
    list: Option<String>,
    /// Only codes whose code or label contains this
    word: Option<String>,
    #[command(flatten)]
    language: LanguageArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// The lists that this version knows: an installation replaces lists, and adds none.
#[derive(Serialize)]
struct Lists {
    items: Vec<ListName>,
}

#[derive(Serialize)]
struct ListName {
    list: String,
    title: String,
    codes: usize,
}

impl Lists {
    fn of(locale: Locale) -> Self {
        let list = |list: &rovuma_schemas::CodeList| ListName {
            list: list.list.clone(),
            title: list.title.get(locale).to_owned(),
            codes: list.entries.len(),
        };
        Self { items: CodeLists::shipped().iter().map(list).collect() }
    }
}

impl fmt::Display for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |list: &ListName| vec![list.list.clone(), list.title.clone(), list.codes.to_string()];
        let rows: Vec<Vec<String>> = self.items.iter().map(row).collect();
        table(f, &["LIST", "TITLE", "CODES"], &rows)
    }
}

impl Codes {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let locale = self.language.locale();
        let Some(list) = &self.list else {
            app.out.show(&Lists::of(locale))?;
            return Ok(Exit::Ok);
        };
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let path = format!("/v1/codes/{}", segment(list));
        let mut codes: ServerAnswer<CodesAnswer> = client
            .get(&path, &[("lang", locale.to_string())])
            .await
            .map_err(|failure| unknown_list(list, failure))?;
        if let Some(word) = &self.word {
            keep_matching(&mut codes, &word.to_lowercase());
        }
        let is_empty = codes.value.entries.is_empty();
        app.out.answer(&codes, codes_text)?;
        Ok(if is_empty { Exit::Negative } else { Exit::Ok })
    }
}

fn unknown_list(list: &str, failure: Failure) -> Failure {
    if failure.is_refusal("not_found") {
        return Failure::new(Exit::Refused, format!("there is no code list {list:?}"))
            .next("rovumactl codes shows the lists");
    }
    failure
}

/// Keeps the codes that contain `word`, in lower case, in the answer and in its raw form.
fn keep_matching(codes: &mut ServerAnswer<CodesAnswer>, word: &str) {
    let matches = |code: &str, label: &str| [code, label].iter().any(|it| it.to_lowercase().contains(word));
    codes.value.entries.retain(|code| matches(&code.code, &code.label));
    if let Some(Value::Array(entries)) = codes.raw.get_mut("entries") {
        entries.retain(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default();
            matches(text("code"), text("label"))
        });
    }
}

fn codes_text(f: &mut fmt::Formatter<'_>, codes: &CodesAnswer) -> fmt::Result {
    writeln!(f, "{}", safe(&codes.title))?;
    if let Some(notice) = &codes.notice {
        writeln!(f, "{}", safe(notice))?;
    }
    writeln!(f)?;
    let row = |code: &Code| {
        let standing = match (code.in_force, code.valid_from, code.valid_until) {
            (true, ..) => String::new(),
            (false, _, Some(until)) => format!("not in force: until {until}"),
            (false, Some(from), None) => format!("not in force: from {from}"),
            (false, None, None) => "not in force".to_owned(),
        };
        vec![code.code.clone(), code.label.clone(), standing]
    };
    let rows: Vec<Vec<String>> = codes.entries.iter().map(row).collect();
    table(f, &["CODE", "LABEL", ""], &rows)
}
