//! Parses and checks policies.

use std::{collections::HashMap, path::PathBuf};

use cedar_policy::{
    Effect, ParseError, ParseErrors, Policy as CedarPolicy, PolicyId, PolicySet, Schema, ValidationMode,
    Validator,
};
use miette::Diagnostic as _;

use crate::{
    Action, Code,
    cedar::Names,
    scope::{self, Scope},
};

/// The schema that comes with the program.
pub(crate) const BUILT_IN_SCHEMA: &str = include_str!("../../../../deploy/policy/rovuma.cedarschema");

/// One file of policies.
#[derive(Clone, Debug)]
pub(crate) struct PolicyText {
    /// The file's name, for error messages.
    pub(crate) file: String,
    /// The policies, in the Cedar language.
    pub(crate) text: String,
}

macro_rules! built_in {
    ($($file:literal),*) => {
        vec![$(PolicyText {
            file: $file.to_owned(),
            text: include_str!(concat!("../../../../deploy/policy/", $file)).to_owned(),
        }),*]
    };
}

/// The policies that come with the program.
pub(crate) fn built_in_policies() -> Vec<PolicyText> {
    built_in!(
        "10-drafts.cedar",
        "20-messages.cedar",
        "25-watchlist.cedar",
        "30-audit.cedar",
        "40-administration.cedar",
        "90-limits.cedar"
    )
}

/// Why policies cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The folder holds no policies at all.
    #[error("no *.cedar file in {}", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// The schema lacks something that this program needs.
    #[error("the schema does not fit this program: {detail}")]
    Schema {
        /// What is wrong.
        detail: String,
    },
    /// A file is not written in the Cedar language.
    #[error("{file}: {detail}")]
    Syntax {
        /// The file.
        file: String,
        /// What is wrong, and where.
        detail: String,
    },
    /// A policy lacks an annotation, or has one with an unknown value.
    #[error("{file}: {policy}: {fault}")]
    Annotation {
        /// The file.
        file: String,
        /// The policy's `@id`, or its position in the file.
        policy: String,
        /// What is wrong.
        fault: &'static str,
    },
    /// The policies name something that the schema does not have.
    #[error("the policies do not fit the schema: {}", faults.join("; "))]
    Misfit {
        /// Each fault, with its policy.
        faults: Vec<String>,
    },
    /// The policies permit what no installation may permit.
    #[error("the policies permit what must never be permitted: {}", findings.join("; "))]
    Unsafe {
        /// Each finding: who could do what.
        findings: Vec<String>,
    },
}

/// Checked policies, ready for questions.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) schema: Schema,
    pub(crate) names: Names,
    /// All policies.
    pub(crate) everything: PolicySet,
    /// The policies that decide about each action.
    pub(crate) scopes: HashMap<Action, Scope>,
    /// The code of each forbidding policy.
    pub(crate) codes: HashMap<PolicyId, Code>,
}

/// Parses and checks `texts` against `schema`.
pub(crate) fn load(schema: &str, texts: &[PolicyText]) -> Result<Loaded, LoadError> {
    let schema = parse_schema(schema)?;
    let bad_schema = |detail: String| LoadError::Schema { detail };
    let names = Names::new().map_err(|fault| bad_schema(fault.to_string()))?;

    let mut loaded =
        Loaded { schema, names, everything: PolicySet::new(), scopes: HashMap::new(), codes: HashMap::new() };
    for text in texts {
        add_file(&mut loaded, text)?;
    }
    validate(&loaded)?;
    let scopes = scope::each(&loaded.names, &loaded.schema, &loaded.everything);
    loaded.scopes = scopes.map_err(|fault| bad_schema(fault.to_string()))?;
    Ok(loaded)
}

fn parse_schema(text: &str) -> Result<Schema, LoadError> {
    let (schema, warnings) = Schema::from_cedarschema_str(text)
        .map_err(|fault| LoadError::Schema { detail: fault.to_string() })?;
    match warnings.map(|warning| warning.to_string()).next() {
        Some(detail) => Err(LoadError::Schema { detail }),
        None => Ok(schema),
    }
}

fn add_file(loaded: &mut Loaded, text: &PolicyText) -> Result<(), LoadError> {
    let syntax = |detail: String| LoadError::Syntax { file: text.file.clone(), detail };
    let parsed: PolicySet = text.text.parse().map_err(|fault| syntax(explain(&fault, &text.text)))?;
    if parsed.templates().next().is_some() {
        return Err(syntax("templates (?principal, ?resource) are not used here".to_owned()));
    }
    for policy in parsed.policies() {
        add_policy(loaded, policy, &text.file)?;
    }
    Ok(())
}

fn add_policy(loaded: &mut Loaded, policy: &CedarPolicy, file: &str) -> Result<(), LoadError> {
    let annotation = |policy: &str, fault| LoadError::Annotation {
        file: file.to_owned(),
        policy: policy.to_owned(),
        fault,
    };
    // Without an `@id` Cedar names a policy by its position: `policy0`.
    let position = policy.id().to_string();
    let id = policy.annotation("id").ok_or_else(|| annotation(&position, "has no @id(\"…\")"))?;
    let twice = |_| annotation(id, "this @id is already taken");
    let renamed = policy.new_id(PolicyId::new(id));
    match policy.effect() {
        Effect::Permit => {}
        Effect::Forbid => {
            let code = policy.annotation("code").and_then(|word| word.parse().ok());
            let code =
                code.ok_or_else(|| annotation(id, "a forbidding policy needs a known @code(\"…\")"))?;
            loaded.codes.insert(renamed.id().clone(), code);
        }
    }
    loaded.everything.add(renamed).map_err(twice)
}

/// Validates strictly. A warning, for instance about a policy that can never apply, counts as a mistake too.
fn validate(loaded: &Loaded) -> Result<(), LoadError> {
    let validator = Validator::new(loaded.schema.clone());
    let result = validator.validate(&loaded.everything, ValidationMode::Strict);
    let errors = result.validation_errors().map(ToString::to_string);
    let mut faults: Vec<_> = errors.chain(result.validation_warnings().map(ToString::to_string)).collect();
    faults.sort();
    if faults.is_empty() { Ok(()) } else { Err(LoadError::Misfit { faults }) }
}

/// Every message of a parse fault, with the line it is about.
fn explain(fault: &ParseErrors, text: &str) -> String {
    let one = |error: &ParseError| match line_of(error, text) {
        Some(line) => format!("line {line}: {error}"),
        None => error.to_string(),
    };
    fault.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The line, from 1, that the first label of `error` points at.
fn line_of(error: &ParseError, text: &str) -> Option<usize> {
    let offset = error.labels()?.next()?.offset();
    Some(text.as_bytes().get(..offset)?.iter().filter(|byte| **byte == b'\n').count() + 1)
}
