//! How what names somebody stands in the store: as it is, at a node, whose machine is in a guarded room; or sealed under a key of the machine, at a
//! post, whose machine may be carried away.

use std::{borrow::Cow, fmt};

use anyhow::Context as _;
use rovuma_envelope::DataKey;

use crate::{config::AtRestConfig, error::DbError};

/// How what names somebody stands in the store.
#[derive(Default)]
pub(crate) enum AtRest {
    /// As it is.
    #[default]
    Plain,
    /// Sealed, and looked for by a mark.
    Sealed(Box<DataKey>),
}

impl AtRest {
    /// As the configuration says.
    pub(crate) fn of(config: Option<&AtRestConfig>) -> anyhow::Result<Self> {
        let Some(AtRestConfig { key_file }) = config else { return Ok(Self::Plain) };
        let key = DataKey::from_text(key_file.read_line()?.expose_text().unwrap_or_default());
        Ok(Self::Sealed(Box::new(
            key.with_context(|| format!("{} is no data key", key_file.path().display()))?,
        )))
    }

    /// A text as its column has it. `place` is the row's own, so that no row stands for another.
    pub(crate) fn write(&self, text: String, place: &str) -> Result<String, DbError> {
        match self {
            Self::Plain => Ok(text),
            Self::Sealed(key) => {
                key.seal(&text, place).map_err(|fault| DbError::damaged("text to seal", fault))
            }
        }
    }

    /// A text that its column has.
    pub(crate) fn read<'t>(&self, column: &'t str, place: &str) -> Result<Cow<'t, str>, DbError> {
        match self {
            Self::Plain => Ok(Cow::Borrowed(column)),
            Self::Sealed(key) => match key.open(column, place) {
                Ok(text) => Ok(Cow::Owned(text)),
                Err(fault) => Err(DbError::damaged("sealed text", fault)),
            },
        }
    }

    /// A text by which rows are looked for, as its column has it.
    pub(crate) fn mark<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self {
            Self::Plain => Cow::Borrowed(text),
            Self::Sealed(key) => Cow::Owned(key.mark(text)),
        }
    }
}

impl fmt::Debug for AtRest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Sealed(_) => "Sealed",
        })
    }
}
