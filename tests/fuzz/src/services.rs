//! Services in the process, each on a store of its own that is created again from time to time.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
};

use rovuma_envelope::Signer as _;
use rovuma_runtime::{Context, ManualClock};
use rovuma_tokens::AccessClaims;
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{
    fixture::{agency, now, signed_list},
    keys, token,
};

/// Runs on one store. Earlier runs leave rows in it that may matter for a crash, so a store that lives long makes
/// crashes hard to repeat, and would grow for hours.
const RUNS_PER_STORE: u32 = 2_000;

/// A service with a store in a folder.
pub(crate) trait ServiceFixture: Sized {
    /// Opens the service on an empty folder.
    fn open(runtime: &Runtime, folder: &Path) -> Self;

    /// Closes the service. The folder is removed after that.
    fn close(self, _runtime: &Runtime, _folder: &Path) {}
}

/// The present service of a target, and its runtime.
pub(crate) struct FixturePool<W> {
    runtime: Runtime,
    present: RefCell<Option<PresentFixture<W>>>,
}

struct PresentFixture<W> {
    fixture: W,
    folder: TempDir,
    runs: u32,
}

impl<W: ServiceFixture> FixturePool<W> {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { runtime, present: RefCell::default() }
    }

    /// Runs `work` with the present service.
    pub(crate) fn run(&self, work: impl FnOnce(&Runtime, &W)) {
        let mut slot = self.present.borrow_mut();
        let present = slot.get_or_insert_with(|| {
            let folder = tempfile::tempdir().expect("a folder");
            PresentFixture { fixture: W::open(&self.runtime, folder.path()), folder, runs: 0 }
        });
        work(&self.runtime, &present.fixture);
        present.runs += 1;
        if present.runs >= RUNS_PER_STORE
            && let Some(PresentFixture { fixture, folder, .. }) = slot.take()
        {
            let _entered = self.runtime.enter();
            fixture.close(&self.runtime, folder.path());
        }
    }
}

/// The context of a service: always the same time.
pub(crate) fn context() -> Context {
    Context::new(ManualClock::at(now()).shared())
}

/// Writes copies of the keys, readable by their owner only; the lists; and the issuer's JWK Set.
pub(crate) fn write_keys(folder: &Path) {
    for name in keys::SIGNING {
        secret(&folder.join(format!("{name}.pem")), &read(&keys::signing_file(name)));
        fs::write(folder.join(format!("{name}.jwk")), keys::signing(name).public_key().to_jwk())
            .expect("written");
    }
    for name in keys::SEALING {
        secret(&folder.join(format!("{name}.age")), &read(&keys::sealing_file(name)));
    }
    for country in ["mz", "tz"] {
        fs::write(folder.join(format!("{country}.trust.json")), signed_list(country)).expect("written");
    }
    let jwks = json!({ "keys": [keys::issuer().public()] });
    fs::write(folder.join("jwks.json"), jwks.to_string()).expect("written");
}

/// Parses a configuration as the service reads it from its file.
pub(crate) fn configured<C: serde::de::DeserializeOwned>(folder: &Path, toml: &str) -> C {
    let path = folder.join("service.toml");
    fs::write(&path, toml.replace("FOLDER", &folder.display().to_string())).expect("written");
    rovuma_runtime::config::load_with_env(Some(&path), HashMap::new()).expect("a sound configuration").0
}

/// The sections of a configuration that are the same for every service.
pub(crate) fn common(store: &str) -> String {
    format!(
        "country = \"mz\"\n\
         [store]\nurl = \"sqlite:FOLDER/{store}\"\nreaders = 1\n\
         [broker]\nurl = \"amqps://localhost:1/rovuma\"\nca_file = \"-\"\ncert_file = \"-\"\nkey_file = \"-\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\n\
         [tokens]\nissuers = [{{ issuer = \"{}\", audience = \"{}\", jwks_file = \"FOLDER/jwks.json\" }}]\n",
        token::ISSUER,
        token::AUDIENCE
    )
}

pub(crate) fn secret(path: &Path, text: &str) -> PathBuf {
    fs::write(path, text).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("mode set");
    path.to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// Maximum tokens that are cached: more callers than the seeds have, and no more than hours of fuzzing can invent.
const CALLERS_MAX: usize = 256;

/// An access token for `role@agency`; a machine's when the role is a machine's.
pub(crate) fn token_of(who: &str) -> Option<String> {
    static MINTED: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);
    let mut minted = MINTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(token) = minted.get(who) {
        return Some(token.clone());
    }
    let token = mint(who)?;
    if minted.len() < CALLERS_MAX {
        minted.insert(who.to_owned(), token.clone());
    }
    Some(token)
}

fn mint(who: &str) -> Option<String> {
    let (role, code) = who.split_once('@')?;
    let code = code.parse().ok()?;
    let subject = format!("{role}-1");
    let machine = role.parse::<rovuma_policy::Role>().ok()?.is_for_machines();
    let claims = AccessClaims {
        issuer: token::ISSUER.to_owned(),
        subject: subject.clone(),
        audience: token::AUDIENCE.to_owned(),
        client_id: if machine { subject.clone() } else { "console".to_owned() },
        id: who.to_owned(),
        issued_at: now(),
        expires: now().plus(std::time::Duration::from_secs(600)),
        agency: code,
        roles: vec![role.to_owned()],
        session: (!machine).then(|| "session-1".to_owned()),
        name: None,
        scope: None,
    };
    keys::issuer().mint_access(&claims).ok()
}

/// An alert from `from` to `to` in the urgent lane, with this number in its stream.
pub(crate) fn alert(from: &str, to: &str, number: u64) -> Vec<u8> {
    let text = include_bytes!("../../../schemas/examples/valid/message-alert.issue.json");
    let mut message: serde_json::Value = serde_json::from_slice(text).expect("JSON");
    let header = &mut message["header"];
    header["sender"] = json!({ "agency": agency(from) });
    header["case"]["owner"] = json!(agency(from));
    header["recipients"] = json!([{
        "agency": agency(to), "lane": "urgent", "stream": "5f0c1d2e3a4b4c5d8e6f708192a3b4c5", "number": number,
    }]);
    header["created"] = json!(now());
    header["expires"] = json!("2026-12-23T18:00:00Z");
    serde_json::to_vec(&message).expect("JSON")
}
