//! `draft new`: writes a draft to begin with, and help on its fields.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, builder::PossibleValuesParser};
use rovuma_schemas::{AgencyCode, CodeLists, FieldHelp, Status, Template, TemplateContext};
use serde::Serialize;
use serde_json::Value;

use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    files,
    reading::LanguageArgs,
};

/// Options of `draft new`.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The kind of draft: an alert's category, a request's kind such as request.identity_check, or the type of another message
    #[arg(value_parser = PossibleValuesParser::new(Template::names()))]
    kind: String,
    /// The file to write it to; the help goes beside it, to FILE.help.txt [default: standard output, the help on standard error]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// An agency to send it to; may be given several times
    #[arg(long = "to", value_name = "AGENCY")]
    recipients: Vec<AgencyCode>,
    /// actual, exercise or test
    #[arg(long, default_value = "actual")]
    status: Status,
    #[command(flatten)]
    language: LanguageArgs,
}

/// The result of `draft new` with a file.
#[derive(Serialize)]
struct NewDraft {
    file: PathBuf,
    help: PathBuf,
}

impl std::fmt::Display for NewDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, help } = self;
        writeln!(
            f,
            "{}: fill in the empty texts, and true or false for null; {} says what each field takes",
            file.display(),
            help.display()
        )?;
        write!(f, "then: rovumactl send {} --validate", file.display())
    }
}

impl New {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let context = TemplateContext {
            country: app.config.country,
            recipients: &self.recipients,
            language: self.language.locale(),
            status: self.status,
            lists: CodeLists::shipped(),
            now: app.now(),
        };
        // The option takes only names that have a template.
        let template = Template::of(&self.kind, &context)
            .ok_or_else(|| Failure::usage(format!("there is no template {:?}", self.kind)))?;
        let (draft, help) = (format!("{:#}\n", template.draft), help(&self.kind, &template));
        let Some(file) = self.out else {
            app.out.note(help.trim_end());
            app.out.write(draft.as_bytes())?;
            return Ok(Exit::Ok);
        };
        let help_file = beside(&file);
        files::must_be_new(&file)?;
        files::must_be_new(&help_file)?;
        // A draft is personal data from its first name on.
        files::create_secret(&file, &draft)?;
        files::create_public(&help_file, &help)?;
        app.out.show(&NewDraft { file, help: help_file })?;
        Ok(Exit::Ok)
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".help.txt");
    PathBuf::from(name)
}

/// The help on a template: what its kind needs, what is to be filled in, and every field.
fn help(kind: &str, template: &Template) -> String {
    let mut text = format!("A draft of the kind {kind}.\n");
    // Writing to a text does not fail.
    for note in &template.notes {
        let _ = writeln!(text, "  {note}");
    }
    let _ = writeln!(text, "\nTo be filled in:");
    for pointer in open_places(&template.draft, "") {
        let _ = writeln!(text, "  {pointer}{}", field_of(template, &pointer).map_or(String::new(), takes));
    }
    let _ = writeln!(
        text,
        "\nEvery field; * marks those that it needs. Leave out what you do not need: an empty text is a fault."
    );
    for field in &template.fields {
        let mark = if field.is_needed { '*' } else { ' ' };
        let _ = writeln!(text, "{mark} {}{}", field.pointer, takes(field));
        if !field.description.is_empty() {
            let _ = writeln!(text, "    {}", field.description);
        }
    }
    text
}

/// What a field takes: `: a code of colours (rovumactl codes colours)`.
fn takes(field: &FieldHelp) -> String {
    match &field.code_list {
        Some(list) => format!(": {} of the list {list} (rovumactl codes {list})", field.form),
        None if field.form.is_empty() => String::new(),
        None => format!(": {}", field.form),
    }
}

fn field_of<'a>(template: &'a Template, pointer: &str) -> Option<&'a FieldHelp> {
    let list = pointer.strip_suffix("/0").unwrap_or(pointer);
    template.fields.iter().find(|field| field.pointer == pointer || field.pointer == list)
}

/// The pointers of texts that are empty, of decisions that are not made, and of confirmations that are not given.
fn open_places(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, member)| open_places(member, &format!("{at}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(i, item)| open_places(item, &format!("{at}/{i}"))).collect()
        }
        Value::String(text) if text.is_empty() => vec![at.to_owned()],
        Value::Null | Value::Bool(false) => vec![at.to_owned()],
        _ => Vec::new(),
    }
}
