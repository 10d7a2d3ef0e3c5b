//! Whom the other side of a case telephones.

use clap::Args;
use rovuma_schemas::subjects::Phone;
use serde_json::{Value, json};

use super::put;

/// Whom the other side telephones.
#[derive(Debug, Args)]
pub(crate) struct ContactArgs {
    /// Whom to telephone: a rank or name, or the desk
    #[arg(long = "contact", value_name = "NAME")]
    name: String,
    /// The telephone number with its country code: +258840000000
    #[arg(long, value_name = "E164")]
    phone: Phone,
    /// When somebody answers it
    #[arg(long, value_name = "TEXT")]
    hours: Option<String>,
}

impl ContactArgs {
    pub(crate) fn body(&self) -> Value {
        let mut contact = json!({ "name": self.name, "phone": self.phone });
        put(&mut contact, "hours", self.hours.as_deref());
        contact
    }
}
