//! The SQL statements in the sources of a program, as far as they can be read there: literals, and `concat!` of literals and
//! of macros without parameters.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A statement and the file in which it stands.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The file.
    pub file: String,
    /// The statement.
    pub sql: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Word(String),
    Sign(char),
}

/// The bodies of macros without parameters, by the name of their file and their own.
type Macros = BTreeMap<(String, String), Vec<Token>>;

/// Every statement in the sources below these folders, which are relative to `crate_folder`, tests left out.
///
/// # Panics
/// When a folder is not there, or a statement cannot be read.
pub fn in_sources(crate_folder: &str, folders: &[&str]) -> Vec<Statement> {
    let mut files = Vec::new();
    for folder in folders {
        collect(&Path::new(crate_folder).join(folder), &mut files);
    }
    let mut macros = Macros::new();
    let sources: Vec<_> = files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).expect("a source");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            (file, without_macros(&stem(file), &tokens(code), &mut macros))
        })
        .collect();
    let mut found = Vec::new();
    for (file, tokens) in sources {
        for sql in statements(&stem(file), &tokens, &macros) {
            found.push(Statement { file: file.display().to_string(), sql });
        }
    }
    found
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if stem(&path) == "tests" {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The code's words, texts and signs, without comments.
fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        } else if first == '"' {
            let (text, after) = text_literal(&rest[1..]);
            tokens.push(Token::Text(text));
            rest = after;
        } else if rest.starts_with("r\"") || rest.starts_with("r#\"") {
            let end = if rest.starts_with("r\"") { "\"" } else { "\"#" };
            let (text, after) = rest[end.len() + 1..].split_once(end).expect("a raw text ends");
            tokens.push(Token::Text(text.to_owned()));
            rest = after;
        } else if first == '\'' {
            // A character, or the name of a lifetime.
            let escaped = rest.starts_with("'\\");
            let end = rest[1..].char_indices().nth(1).filter(|(_, next)| *next == '\'');
            rest = match end {
                Some((at, _)) if !escaped => &rest[at + 2..],
                _ if escaped => rest[3..].split_once('\'').map_or("", |(_, rest)| rest),
                _ => &rest[1..],
            };
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Sign(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

/// A text's value and what follows it; `code` begins behind the opening quotation mark.
fn text_literal(code: &str) -> (String, &str) {
    let mut text = String::new();
    let mut rest = code;
    loop {
        let end = rest.find(['"', '\\']).expect("a text ends");
        text.push_str(&rest[..end]);
        let (mark, after) = rest[end..].split_at(1);
        if mark == "\"" {
            return (text, after);
        }
        if let Some(line) = after.strip_prefix('\n') {
            rest = line.trim_start();
        } else {
            let escaped = after.chars().next().expect("an escaped character");
            text.push(if escaped == 'n' { '\n' } else { escaped });
            rest = &after[escaped.len_utf8()..];
        }
    }
}

/// The tokens outside the definitions of macros. Those of macros without parameters are added to `macros`; what stands in
/// another one is no statement yet.
fn without_macros(file: &str, tokens: &[Token], macros: &mut Macros) -> Vec<Token> {
    let mut outside = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] != Token::Word("macro_rules".to_owned()) {
            outside.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let Token::Word(name) = &tokens[at + 2] else { panic!("{file}: a macro has a name") };
        let definition = group(&tokens[at + 3..]);
        let parameters = group(definition);
        if parameters.is_empty() {
            // `() => { body }`
            macros.insert((file.to_owned(), name.clone()), group(&definition[4..]).to_vec());
        }
        at += 3 + definition.len() + 2;
    }
    outside
}

/// What stands between the first sign, an opening bracket, and the one that closes it.
fn group(tokens: &[Token]) -> &[Token] {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(' | '{' | '[') => depth += 1,
            Token::Sign(')' | '}' | ']') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &tokens[1..at.max(1)];
        }
    }
    panic!("a bracket is not closed: {tokens:?}");
}

fn statements(file: &str, tokens: &[Token], macros: &Macros) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_macro = tokens.get(at + 1) == Some(&Token::Sign('!'));
        match &tokens[at] {
            Token::Word(name) if name == "concat" && is_macro => {
                let arguments = group(&tokens[at + 2..]);
                match (value(file, &tokens[at..], macros), arguments.first()) {
                    (Some(text), _) => found.push(text),
                    (None, Some(Token::Text(text))) if is_statement(text) => {
                        panic!("{file}: a statement that cannot be read: {arguments:?}")
                    }
                    (None, _) => {}
                }
                at += arguments.len() + 4;
                continue;
            }
            // Formatted texts are no statements here, except in the store, which this is not asked about.
            Token::Word(name) if name == "format" && is_macro => at += group(&tokens[at + 2..]).len() + 3,
            Token::Text(text) => found.push(text.clone()),
            _ => {}
        }
        at += 1;
    }
    found.retain(|text| is_statement(text));
    found
}

/// Whether a text is a statement that asks: an INSERT of values does not.
fn is_statement(text: &str) -> bool {
    let verb = text.split_whitespace().next().unwrap_or_default();
    match verb {
        // The word alone is a method of HTTP.
        "SELECT" | "WITH" | "UPDATE" | "DELETE" => text.trim() != verb,
        "INSERT" => text.contains("SELECT "),
        _ => false,
    }
}

/// The text that an expression stands for.
fn value(file: &str, tokens: &[Token], macros: &Macros) -> Option<String> {
    match tokens.first()? {
        Token::Text(text) => Some(text.clone()),
        Token::Word(name) if name == "concat" => {
            let arguments = group(&tokens[2..]);
            let mut text = String::new();
            let mut start = 0;
            let mut depth = 0;
            for at in 0..=arguments.len() {
                match arguments.get(at) {
                    Some(Token::Sign('(' | '{' | '[')) => depth += 1,
                    Some(Token::Sign(')' | '}' | ']')) => depth -= 1,
                    Some(Token::Sign(',')) | None if depth == 0 => {
                        if start < at {
                            text.push_str(&value(file, &arguments[start..at], macros)?);
                        }
                        start = at + 1;
                    }
                    _ => {}
                }
            }
            Some(text)
        }
        // `columns!()`, `sent::columns!()`, `$crate::cases::columns!()`
        _ => {
            let words = tokens.iter().filter_map(|token| match token {
                Token::Word(word) => Some(word),
                _ => None,
            });
            let words: Vec<&String> = words.collect();
            let name = (*words.last()?).clone();
            let file = if words.len() > 1 { words[words.len() - 2].as_str() } else { file };
            value(file, macros.get(&(file.to_owned(), name))?, macros)
        }
    }
}
