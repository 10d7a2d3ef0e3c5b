//! Border crossings: their sides and kinds. Their labels are in the code list `crossings`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::{CountryCode, Date};

/// One side of a crossing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossingSide {
    /// The country.
    pub country: CountryCode,
    /// The place on that side.
    pub place: String,
    /// The province or region, ISO 3166-2.
    pub subdivision: String,
}

/// The kind of a crossing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrossingKind {
    /// By ferry.
    Ferry,
    /// By bridge.
    Bridge,
    /// By boat or on foot, without a fixed installation.
    River,
    /// A sea port.
    Port,
}

/// One crossing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crossing {
    /// The code, as in the code list `crossings`.
    pub code: String,
    /// The kind of crossing; absent where public sources do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<CrossingKind>,
    /// The sides that are known.
    pub sides: Vec<CrossingSide>,
    /// The first day of operation; not recorded where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// The last day of operation; without end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CrossingFile {
    crossings: Vec<Crossing>,
}

/// The crossings shipped with this version.
pub fn crossings() -> &'static [Crossing] {
    static SHIPPED: LazyLock<Vec<Crossing>> = LazyLock::new(|| {
        // The file is part of this build and a test reads it.
        let text = include_str!("../../codes/crossing_sites.json");
        serde_json::from_str::<CrossingFile>(text).expect("well formed").crossings
    });
    &SHIPPED
}
