//! The countries and their agencies: everything in which one installation differs from another.

use rovuma_schemas::{AgencyCode, CountryCode};

/// One country to be installed.
#[derive(Clone, Debug)]
pub struct CountryPlan {
    /// The country.
    pub country: CountryCode,
    /// Its agencies, beside the node itself.
    pub agencies: Vec<AgencyPlan>,
}

/// One agency to be installed.
#[derive(Clone, Debug)]
pub struct AgencyPlan {
    /// Its code.
    pub code: AgencyCode,
    /// Its name, with the language of the name.
    pub name: (&'static str, &'static str),
    /// The organisation that it belongs to.
    pub parent: &'static str,
}

/// The name of the only gateway that each country of a lab has.
pub const GATEWAY: &str = "national";

impl CountryPlan {
    /// Mozambique with its three agencies.
    ///
    /// # Panics
    /// Never: the codes are well-formed.
    pub fn mozambique() -> Self {
        Self::new(
            "mz",
            &[
                ("mz.prm", ("pt", "Polícia da República de Moçambique"), "Ministério do Interior"),
                ("mz.senami", ("pt", "Serviço Nacional de Migração"), "Ministério do Interior"),
                (
                    "mz.sernic",
                    ("pt", "Serviço Nacional de Investigação Criminal"),
                    "Procuradoria-Geral da República",
                ),
            ],
        )
    }

    /// Tanzania with its three agencies.
    ///
    /// # Panics
    /// Never: the codes are well-formed.
    pub fn tanzania() -> Self {
        Self::new(
            "tz",
            &[
                ("tz.tpf", ("sw", "Jeshi la Polisi Tanzania"), "Wizara ya Mambo ya Ndani ya Nchi"),
                ("tz.tisd", ("sw", "Idara ya Uhamiaji"), "Wizara ya Mambo ya Ndani ya Nchi"),
                ("tz.dci", ("sw", "Upelelezi wa Makosa ya Jinai"), "Jeshi la Polisi Tanzania"),
            ],
        )
    }

    /// Every agency that the gateway serves: those of the plan, and the node.
    pub fn served(&self) -> Vec<AgencyCode> {
        let node = AgencyCode::node_of(self.country);
        self.agencies.iter().map(|agency| agency.code.clone()).chain([node]).collect()
    }

    fn new(country: &str, agencies: &[(&str, (&'static str, &'static str), &'static str)]) -> Self {
        // The codes are constants above, and well-formed.
        let country = country.parse().expect("a country code");
        let agency = |(code, name, parent): &(&str, (&'static str, &'static str), &'static str)| AgencyPlan {
            code: code.parse().expect("an agency code"),
            name: *name,
            parent,
        };
        Self { country, agencies: agencies.iter().map(agency).collect() }
    }
}
