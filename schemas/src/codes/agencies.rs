//! The participating agencies, as data with dates.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

use crate::{
    AgencyCode, Date,
    codes::{CodeEntry, Labels},
};

/// One agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    /// Its code.
    pub code: AgencyCode,
    /// Its names; the name in its own language is official, the others are translations.
    pub names: Labels,
    /// The bodies that it belongs to, each with its dates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<CodeEntry>,
    /// Its units and posts, each with its dates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<CodeEntry>,
    /// The first day on which it takes part; always where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// The last day on which it takes part; without end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
}

impl Agency {
    /// Whether it takes part on `day`.
    pub fn in_force(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_until.is_none_or(|until| day <= until)
    }
}

/// The agencies that a draft can be addressed to.
#[derive(Clone, Debug, Default)]
pub struct AgencyDirectory {
    by_code: BTreeMap<AgencyCode, Agency>,
}

/// The file's shape.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyFile {
    agencies: Vec<Agency>,
}

static SHIPPED: LazyLock<AgencyDirectory> = LazyLock::new(|| {
    // The file is part of this build and a test reads it.
    let file: AgencyFile =
        serde_json::from_str(include_str!("../../codes/agencies.json")).expect("well formed");
    AgencyDirectory::new(file.agencies)
});

impl AgencyDirectory {
    /// A directory of these agencies; of two with one code the later counts.
    pub fn new(agencies: impl IntoIterator<Item = Agency>) -> Self {
        Self { by_code: agencies.into_iter().map(|agency| (agency.code.clone(), agency)).collect() }
    }

    /// The agencies shipped with this version.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// The agency of this code, in force or not.
    pub fn find(&self, code: &AgencyCode) -> Option<&Agency> {
        self.by_code.get(code)
    }

    /// All agencies, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Agency> {
        self.by_code.values()
    }
}
