//! The answers of the identity service.

use rovuma_schemas::{AgencyCode, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person who can log in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The pseudonymous id: `sub` of tokens, actor of audit events.
    #[schema(value_type = String, format = "uuid")]
    pub id: String,
    /// The agency.
    #[schema(value_type = String)]
    pub agency: AgencyCode,
    /// The name that the person types to log in.
    pub login: String,
    /// The name to show.
    pub name: String,
    /// Roles in the agency.
    pub roles: Vec<String>,
    /// The instant since which the person may not log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub disabled_at: Option<Timestamp>,
    /// Whether a new password must be chosen at the next log-in.
    pub must_change_password: bool,
    /// The instant at which the account was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The names of people.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Names {
    /// One entry a person.
    pub items: Vec<PersonName>,
}

/// The name behind a pseudonym.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PersonName {
    /// The pseudonymous id.
    #[schema(value_type = String, format = "uuid")]
    pub id: String,
    /// The name to show.
    pub name: String,
}

/// A password to hand over; it is shown this once and must be changed at the first log-in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OneTimePassword {
    /// The password.
    pub one_time_password: String,
}

/// The user, and the password for the first log-in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CreatedUser {
    /// The user.
    pub user: User,
    /// Shown this once; another must be chosen at the first log-in.
    pub one_time_password: String,
}

/// A machine that can get tokens for itself (client credentials).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Client {
    /// `client_id`, and the `sub` of its tokens.
    pub id: String,
    /// The agency it acts for.
    #[schema(value_type = String)]
    pub agency: AgencyCode,
    /// The name to show.
    pub name: String,
    /// Roles in the agency.
    pub roles: Vec<String>,
    /// The method by which it authenticates: `client_secret`, `private_key_jwt`.
    pub authentication: Vec<String>,
    /// The instant since which it gets no tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub disabled_at: Option<Timestamp>,
    /// The instant at which it was added.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A machine client's secret; it is shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClientSecret {
    /// The secret.
    pub client_secret: String,
}

/// The machine client, and its secret if it has one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CreatedClient {
    /// The machine client.
    pub client: Client,
    /// Shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}
