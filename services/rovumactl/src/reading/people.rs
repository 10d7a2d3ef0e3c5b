//! The names of people.

use std::collections::BTreeMap;

use rovuma_api::answers::identity::Names;

use crate::{
    app::App,
    session::{ApiServer, ServerArgs},
};

/// People by their pseudonyms.
pub(crate) struct PeopleNames(BTreeMap<String, String>);

impl PeopleNames {
    /// The names of `people`, as the identity service knows them. Where it is not configured, does not answer, or the caller may not
    /// ask, the others keep their pseudonyms: a name is no reason for a command to fail.
    pub(crate) async fn known(app: &App, server: &ServerArgs, people: &[&str]) -> Self {
        if people.is_empty() {
            return Self(BTreeMap::new());
        }
        let Ok(client) = server.elsewhere(None).client(app, ApiServer::Identity).await else {
            return Self(BTreeMap::new());
        };
        let found = client.get::<Names>("/v1/names", &[("ids", people.join(","))]).await;
        let found = found.map(|names| names.value.items).unwrap_or_default();
        Self(found.into_iter().map(|person| (person.id, person.name)).collect())
    }

    /// A person as people read it: the name with the pseudonym, by which the audit log knows the person, in brackets; the
    /// pseudonym alone where there is no name.
    pub(crate) fn text(&self, subject: &str) -> String {
        match self.0.get(subject) {
            Some(name) => format!("{name} ({subject})"),
            None => subject.to_owned(),
        }
    }
}
