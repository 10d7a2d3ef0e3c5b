//! Plays the script: each case's moves in their order, several cases at a time, and as far as the scenario has opened it.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rovuma_lab::{
    api::{Api, ApiAnswer},
    border::Border,
    person,
};
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, watch},
    task::JoinSet,
};

use super::{
    moves::{self, Author},
    script::{AlertMove, Conversation, Move, MoveKind},
};
use crate::{chance::Chance, traffic::post_until_answered};

/// Agencies' callers at work at the same time.
const PLAYERS: usize = 8;

/// A recipient that does not have the case yet waits so long for it before it tries in vain.
const ARRIVES_WITHIN: Duration = Duration::from_millis(1_500);

/// A token is used for this long; it is valid for ten minutes.
const TOKEN_LASTS: Duration = Duration::from_secs(300);

/// People of all agencies, who log in again when their tokens grow old.
#[derive(Debug)]
pub(super) struct Callers {
    countries: BTreeMap<String, Addresses>,
    known: Mutex<KnownCallers>,
}

/// By agency and role, each with the time of the log-in.
type KnownCallers = HashMap<(String, &'static str), (Api, Instant)>;

#[derive(Debug)]
struct Addresses {
    identity: String,
    gateway: String,
    secrets: PathBuf,
}

/// A message that a gateway has accepted.
#[derive(Clone, Debug)]
pub(super) struct SentStep {
    pub(super) id: String,
    pub(super) sender: &'static str,
    pub(super) message_type: String,
    /// The part of the play in which it was accepted.
    pub(super) part: u32,
    pub(super) is_emergency: bool,
}

/// A case with what became of its moves.
#[derive(Clone, Debug)]
pub(super) struct PlayedCase {
    pub(super) conversation: Conversation,
    pub(super) sent: Vec<SentStep>,
    /// How often each refusal came: its status and code.
    pub(super) refused: BTreeMap<String, u32>,
}

/// How far the play may go.
#[derive(Clone, Copy, Debug)]
struct Opened {
    until: f64,
    part: u32,
}

/// Players at work.
#[derive(Debug)]
pub(super) struct Play {
    players: JoinSet<Result<Vec<PlayedCase>>>,
    opened: watch::Sender<Opened>,
    /// Moves that were answered; all of them when a player failed, so that nobody waits for it.
    answered: watch::Receiver<usize>,
    moments: Vec<f64>,
}

impl Callers {
    pub(super) fn of(border: &Border) -> Result<Self> {
        let mut countries = BTreeMap::new();
        for (code, country) in [("mz", &border.mz), ("tz", &border.tz)] {
            let addresses = Addresses {
                identity: country.url("identity")?,
                gateway: country.url("gateway")?,
                secrets: country.layout().secret(""),
            };
            countries.insert(code.to_owned(), addresses);
        }
        Ok(Self { countries, known: Mutex::default() })
    }

    /// The gateway as a person of an agency calls it: `("tz.tpf", "officer")`.
    pub(super) async fn api(&self, agency: &str, role: &'static str) -> Result<Api> {
        let (code, name) = agency.split_once('.').context("an agency code")?;
        let key = (agency.to_owned(), role);
        let mut known = self.known.lock().await;
        if let Some((api, since)) = known.get(&key)
            && since.elapsed() < TOKEN_LASTS
        {
            return Ok(api.clone());
        }
        let country = self.countries.get(code).context("a country of the lab")?;
        let login = format!("{role}.{name}");
        let token = person::log_in(&country.identity, &login, &country.secrets.join(&login)).await?;
        let api = Api::new(&country.gateway, Some(token))?;
        known.insert(key, (api.clone(), Instant::now()));
        Ok(api)
    }

    /// Waits a while until the agency has the case at this path.
    pub(super) async fn await_case(&self, agency: &str, path: &str) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < ARRIVES_WITHIN && self.get(agency, path).await?.is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Gets a path until the gateway answers with something else than a failure of its own.
    pub(super) async fn get(&self, agency: &str, path: &str) -> Result<Option<Value>> {
        let api = self.api(agency, "officer").await?;
        let started = Instant::now();
        loop {
            match api.get(path).await {
                Ok(answer) if answer.status == 404 => return Ok(None),
                Ok(answer) if !answer.status.is_server_error() => return answer.ok().map(Some),
                Ok(answer) if started.elapsed() > Duration::from_secs(60) => {
                    bail!("{path}: {}", answer.status)
                }
                Err(fault) if started.elapsed() > Duration::from_secs(60) => return Err(fault),
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

impl Play {
    /// Starts the players; they wait until a part of the play is opened.
    pub(super) fn start(script: Vec<Conversation>, callers: &Arc<Callers>) -> Self {
        let moments: Vec<f64> = script.iter().flat_map(|one| one.moves.iter().map(|one| one.at)).collect();
        let (opened, gate) = watch::channel(Opened { until: 0.0, part: 0 });
        let (count, answered) = watch::channel(0);
        let (count, all) = (Arc::new(count), moments.len());
        let mut hands: Vec<Vec<Conversation>> = vec![Vec::new(); PLAYERS];
        for (number, conversation) in script.into_iter().enumerate() {
            hands[number % PLAYERS].push(conversation);
        }
        let mut players = JoinSet::new();
        for hand in hands {
            let (callers, gate, count) = (Arc::clone(callers), gate.clone(), Arc::clone(&count));
            players.spawn(async move {
                let played = play(hand, &callers, gate, &count).await;
                if played.is_err() {
                    count.send_modify(|count| *count += all);
                }
                played
            });
        }
        Self { players, opened, answered, moments }
    }

    /// Opens the play up to this share of it, as its part `part`.
    pub(super) fn open(&self, until: f64, part: u32) {
        self.opened.send_replace(Opened { until, part });
    }

    /// Waits until everything that was opened is answered.
    pub(super) async fn rest(&mut self) -> Result<()> {
        let until = self.opened.borrow().until;
        let wanted = self.moments.iter().filter(|at| **at <= until).count();
        self.answered.wait_for(|count| *count >= wanted).await.context("the players went away")?;
        Ok(())
    }

    /// Waits for the end.
    pub(super) async fn played(mut self) -> Result<Vec<PlayedCase>> {
        let part = self.opened.borrow().part;
        self.open(1.0, part);
        let mut played = Vec::new();
        while let Some(ended) = self.players.join_next().await {
            played.extend(ended??);
        }
        played.sort_by_key(|played| played.conversation.number);
        Ok(played)
    }
}

impl PlayedCase {
    /// The id of the message that opened it.
    pub(super) fn id(&self) -> Option<&str> {
        self.sent.first().map(|step| step.id.as_str())
    }

    pub(super) fn path(&self) -> String {
        let Conversation { kind, opener, .. } = &self.conversation;
        format!("/v1/cases/{}/{opener}/{}", kind.as_str(), self.id().unwrap_or_default())
    }

    pub(super) fn case(&self) -> Value {
        let Conversation { kind, opener, .. } = &self.conversation;
        json!({ "kind": kind.as_str(), "owner": opener, "id": self.id() })
    }
}

async fn play(
    hand: Vec<Conversation>,
    callers: &Callers,
    mut gate: watch::Receiver<Opened>,
    answered: &watch::Sender<usize>,
) -> Result<Vec<PlayedCase>> {
    let mut moves: Vec<(usize, Move)> = Vec::new();
    for (place, conversation) in hand.iter().enumerate() {
        moves.extend(conversation.moves.iter().map(|one| (place, *one)));
    }
    moves.sort_by(|(_, one), (_, other)| one.at.total_cmp(&other.at));
    let played = |conversation| PlayedCase { conversation, sent: Vec::new(), refused: BTreeMap::new() };
    let mut all: Vec<PlayedCase> = hand.into_iter().map(played).collect();
    for (place, one) in moves {
        let part =
            gate.wait_for(|opened| one.at <= opened.until).await.context("the play was given up")?.part;
        make(&mut all[place], one, part, callers).await.with_context(|| {
            let conversation = &all[place].conversation;
            format!("{:?} in case {} of {}", one.kind, conversation.number, conversation.opener)
        })?;
        answered.send_modify(|count| *count += 1);
    }
    Ok(all)
}

/// Makes one move, and notes what the gateway answered.
async fn make(played: &mut PlayedCase, one: Move, part: u32, callers: &Callers) -> Result<()> {
    let mut chance = Chance::new(one.seed);
    let opener = played.conversation.opener;
    let Author { agency, role, draft } = moves::author(played, one.kind, callers, &mut chance).await?;
    if agency != opener {
        callers.await_case(agency, &played.path()).await?;
    }
    let api = callers.api(agency, role).await?;
    let answer = post_until_answered(std::slice::from_ref(&api), 0, "/v1/messages", &draft, None).await?;
    match answer.status.as_u16() {
        201 => {
            let id = answer.body["id"].as_str().context("an id")?.to_owned();
            let message_type = draft["type"].as_str().unwrap_or_default().to_owned();
            let is_emergency = draft["terms"].get("emergency").is_some();
            played.sent.push(SentStep { id, sender: agency, message_type, part, is_emergency });
        }
        // Something may have come since the author looked: then the case, or the version before, does not allow it.
        409 | 403 if one.kind != MoveKind::Open => {
            *played.refused.entry(refusal(&answer)).or_default() += 1;
        }
        422 if matches!(
            one.kind,
            MoveKind::Alert(
                AlertMove::Update
                    | AlertMove::Extend
                    | AlertMove::Reply
                    | AlertMove::Confirm
                    | AlertMove::Trespass
            )
        ) =>
        {
            *played.refused.entry(refusal(&answer)).or_default() += 1;
        }
        _ => bail!("{}: {}", answer.status, answer.body),
    }
    Ok(())
}

/// The status and code of a refusal; of a faulty draft, the code of its first fault.
fn refusal(answer: &ApiAnswer) -> String {
    let code = answer.body["code"].as_str().unwrap_or_default();
    let fault = answer.body["errors"][0]["code"].as_str().or(answer.body["faults"][0]["code"].as_str());
    format!("{} {}", answer.status.as_u16(), fault.unwrap_or(code))
}
