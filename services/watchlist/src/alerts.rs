//! Keeps the alerts of an agency current: all of them when the gateway is first heard, then each as it changes.
//!
//! The gateway's events say that a case changed and nothing else; the content is asked for. When the line to the gateway breaks, the
//! alerts that are here go on being screened, and every verdict says how old they are. What others found of the agency's own alerts comes the same
//! way, for what is expected at the posts.

mod listed;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rovuma_api::{
    answers::gateway::{HitOnAlert, ScreenedAlert},
    page::{PAGE_MAX, Page},
};
use rovuma_runtime::Shutdown;
use rovuma_schemas::{AgencyCode, CaseId, MessageId, Timestamp};
use rovuma_store::{BoxFuture, Conn, FutureExt, WriteError};
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::{
    coverage, crossed,
    entries::{self, ALERTS, Change},
    error::DbError,
    expected,
    peer::{Heard, PeerFault},
    screening::Listed,
    standings::{self, alerts_of},
    watchlist::{OwnAgency, Watchlist},
};

/// The first pause after a fault; each further one is twice as long, up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(500);

/// A gateway that comes back is found within this time: an alert must be screened five seconds after it arrived.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How often it is written down that the gateway was heard, where nothing changed: after a restart the age shown is that old.
const HEARD_WRITTEN_EVERY: Duration = Duration::from_secs(60);

/// Where the gateway has the alerts, and the hits on the agency's own.
const ALERTS_PATH: &str = "/v1/screening/alerts";
const HITS_PATH: &str = "/v1/screening/hits";

/// The kind of the cases of alerts.
const ALERT: &str = "alert";

/// Maximum changes that are asked for together.
const TOGETHER_MAX: usize = 64;

/// Why alerts are not followed at the moment.
#[derive(Debug, Error)]
enum FollowFault {
    #[error(transparent)]
    Peer(#[from] PeerFault),
    #[error("the store: {0}")]
    Write(#[from] WriteError<DbError>),
    #[error("the store: {0}")]
    Read(#[from] DbError),
}

/// Follows the alerts of one agency until the service stops.
pub(crate) async fn follow(watchlist: Arc<Watchlist>, agency: Arc<OwnAgency>, shutdown: Shutdown) {
    let mut follower = Follower { watchlist, agency, after: None, heard_written: None };
    let mut pause = PAUSE_MIN;
    loop {
        let result = tokio::select! {
            () = shutdown.soft() => return,
            result = follower.run() => result,
        };
        match result {
            // The gateway ends a stream with its token.
            Ok(()) => pause = PAUSE_MIN,
            Err(fault) => {
                let agency = &follower.agency.config.code;
                tracing::warn!(%agency, %fault, "alerts are not followed: trying again");
                // Whatever happened meanwhile, a gateway's store that was put back from an older copy too: everything is asked for again, and
                // until it is here the list counts as being loaded.
                follower.after = None;
                follower.watchlist.lists.update(&alerts_of(agency), |list| list.is_loading = true);
            }
        }
        if !shutdown.pause(pause).await {
            return;
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

struct Follower {
    watchlist: Arc<Watchlist>,
    agency: Arc<OwnAgency>,
    /// The last event that was taken, once all alerts were loaded.
    after: Option<i64>,
    /// When it was last written down that the gateway was heard.
    heard_written: Option<Timestamp>,
}

impl Follower {
    /// Follows one stream of events to its end.
    async fn run(&mut self) -> Result<(), FollowFault> {
        let now = self.watchlist.clock.now();
        // The stream is open before everything is loaded: no change is lost between the two.
        let mut events = self.agency.gateway.events(self.after, now).await?;
        if self.after.is_none() {
            self.load_all().await?;
        }
        self.heard(true).await?;
        // What was not looked for when the service was killed.
        if let Err(fault) = crossed::look_back(&self.watchlist).await {
            tracing::error!(%fault, "who crossed before an alert came is not known");
        }
        while let Some(heard) = events.next().await? {
            let mut changed = BTreeSet::new();
            let mut last = self.note(heard, &mut changed);
            while events.has_more() && changed.len() < TOGETHER_MAX {
                let Some(heard) = events.next().await? else { break };
                last = self.note(heard, &mut changed).or(last);
            }
            for case in changed {
                self.load_one(case).await?;
            }
            if let Some(last) = last {
                self.after = Some(last);
            }
            self.heard(false).await?;
        }
        Ok(())
    }

    fn note(&self, heard: Heard, changed: &mut BTreeSet<MessageId>) -> Option<i64> {
        let Heard::Event(event) = heard else { return None };
        if event.event == "case.changed" {
            changed.extend(event.object);
        }
        Some(event.seq)
    }

    /// Loads all alerts that are in force, and removes those that are no longer.
    async fn load_all(&self) -> Result<(), FollowFault> {
        let list = alerts_of(&self.agency.config.code);
        self.watchlist.lists.update(&list, |list| list.is_loading = true);
        self.load_pages().await?;
        self.watchlist.lists.update(&list, |list| list.is_loading = false);
        if !self.watchlist.posts.is_empty()
            && let Err(fault) = self.load_hits().await
        {
            // Alerts come first: without this nobody knows what is on its way, and everything else goes on.
            let agency = &self.agency.config.code;
            tracing::warn!(%agency, %fault, "what others found of own alerts is not known: nothing is expected at the posts");
        }
        Ok(())
    }

    async fn load_pages(&self) -> Result<(), FollowFault> {
        let (mut seen, mut cursor) = (BTreeSet::new(), None::<String>);
        loop {
            let page: Page<ScreenedAlert> = self.page(ALERTS_PATH, cursor.take()).await?;
            let agency = &self.agency.config.code;
            seen.extend(page.items.iter().map(|alert| entries::view_of(&alert.case, agency)));
            take(&self.watchlist, &self.agency.config.code, page.items).await?;
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        self.ask_for_the_rest(&seen).await?;
        self.forget_others(&seen).await?;
        let now = self.watchlist.clock.now();
        self.watchlist.lists.update(&alerts_of(&self.agency.config.code), |list| {
            (list.loaded_at, list.heard_at) = (Some(now), Some(now));
        });
        Ok(())
    }

    /// Loads the hits of the last hours on the agency's own alerts, and forgets what the gateway did not name.
    async fn load_hits(&self) -> Result<(), FollowFault> {
        let agency = &self.agency.config.code;
        let (mut seen, mut cursor) = (BTreeSet::<CaseId>::new(), None::<String>);
        loop {
            let page: Page<HitOnAlert> = self.page(HITS_PATH, cursor.take()).await?;
            seen.extend(page.items.iter().map(|hit| hit.case.clone()));
            expected::take(&self.watchlist, agency, page.items).await?;
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        Ok(expected::forget_others(&self.watchlist, agency, seen).await?)
    }

    async fn page<T: DeserializeOwned>(
        &self,
        path: &str,
        cursor: Option<String>,
    ) -> Result<Page<T>, PeerFault> {
        let mut query = vec![("limit", PAGE_MAX.to_string())];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        self.agency.gateway.get(path, &query, self.watchlist.now()).await
    }

    /// Asks for the alerts that the posts said to screen for and that the gateway did not name: those that were withdrawn while nobody heard it.
    /// Their issuers are told.
    async fn ask_for_the_rest(&self, seen: &BTreeSet<String>) -> Result<(), FollowFault> {
        let agency = &self.agency.config.code;
        let mut after = None;
        loop {
            let mut conn = self.watchlist.store.read().acquire().await.map_err(DbError::from)?;
            let page = coverage::in_force(&mut conn, agency, after.as_ref(), i64::from(PAGE_MAX)).await?;
            drop(conn);
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (owner, id) in page {
                let case = CaseId { kind: ALERT.to_owned(), owner: owner.clone(), id };
                if seen.contains(&entries::view_of(&case, agency))
                    || self.load_one(id).await?.contains(&owner)
                {
                    continue;
                }
                let (agency, alert) = (agency.clone(), (owner, id));
                let write = self
                    .watchlist
                    .store
                    .write(move |tx| async move { coverage::note_gone(tx, &agency, &alert).await }.boxed());
                write.await?;
            }
        }
    }

    /// Removes this agency from all alerts that its gateway did not name.
    async fn forget_others(&self, seen: &BTreeSet<String>) -> Result<(), FollowFault> {
        let agency = &self.agency.config.code;
        let mut gone = Vec::new();
        let mut after = String::new();
        loop {
            let mut conn = self.watchlist.store.read().acquire().await.map_err(DbError::from)?;
            let page =
                entries::alerts_page(&mut conn, &self.watchlist.at_rest, &after, i64::from(PAGE_MAX)).await?;
            let Some((last, _)) = page.last() else { break };
            after.clone_from(last);
            let is_gone = |(record, listed): &(String, Listed)| {
                entries::is_held_by(listed, agency) && !seen.contains(record)
            };
            gone.extend(page.into_iter().filter(is_gone).map(|(record, _)| record));
        }
        let at_rest = Arc::clone(&self.watchlist.at_rest);
        apply(&self.watchlist, agency, move |tx, change| {
            async move {
                for record in gone {
                    entries::remove(tx, &at_rest, ALERTS, &record, change).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await?;
        Ok(())
    }

    /// Asks for the alerts with this id; if it is none, for the hits. Returns the owners of the alerts.
    async fn load_one(&self, case: MessageId) -> Result<Vec<AgencyCode>, FollowFault> {
        let (agency, query) = (&self.agency, [("case", case.to_string())]);
        let alerts: Page<ScreenedAlert> =
            agency.gateway.get(ALERTS_PATH, &query, self.watchlist.now()).await?;
        if alerts.items.is_empty() && !self.watchlist.posts.is_empty() {
            let hits: Page<HitOnAlert> = agency.gateway.get(HITS_PATH, &query, self.watchlist.now()).await?;
            expected::take(&self.watchlist, &agency.config.code, hits.items).await?;
        }
        let owners = alerts.items.iter().map(|alert| alert.case.owner.clone()).collect();
        take(&self.watchlist, &agency.config.code, alerts.items).await?;
        Ok(owners)
    }

    /// Notes that the gateway was heard.
    async fn heard(&mut self, is_written: bool) -> Result<(), FollowFault> {
        let (id, now) = (alerts_of(&self.agency.config.code), self.watchlist.clock.now());
        self.watchlist.lists.update(&id, |list| list.heard_at = Some(now));
        let is_due = self.heard_written.is_none_or(|before| now.since(before) > HEARD_WRITTEN_EVERY);
        if !(is_written || is_due) {
            return Ok(());
        }
        let Some(standing) = self.watchlist.lists.get(&id) else { return Ok(()) };
        let write = self
            .watchlist
            .store
            .write(move |tx| async move { standings::store(tx, &id, &standing).await }.boxed());
        write.await?;
        self.heard_written = Some(now);
        Ok(())
    }
}

/// Stores alerts as the gateway says they are.
pub(crate) async fn take(
    watchlist: &Watchlist,
    agency: &AgencyCode,
    alerts: Vec<ScreenedAlert>,
) -> Result<(), WriteError<DbError>> {
    if alerts.is_empty() {
        return Ok(());
    }
    let viewer = agency.clone();
    let own: Vec<_> = watchlist.own().cloned().collect();
    let at_rest = Arc::clone(&watchlist.at_rest);
    let (has_posts, now) = (!watchlist.posts.is_empty(), watchlist.now());
    apply(watchlist, agency, move |tx, change| {
        async move {
            for alert in alerts {
                let view = entries::view_of(&alert.case, &viewer);
                let entry = listed::of(alert.clone(), &viewer);
                let is_withdrawn = coverage::is_withdrawn(tx, &alert.case).await?;
                let can_be_found = entry.has_numbers() && !is_withdrawn;
                coverage::note(tx, &viewer, (&alert, can_be_found), has_posts, now).await?;
                if listed::is_screened(&alert) && !is_withdrawn {
                    entries::put(tx, &at_rest, ALERTS, &view, entry, change).await?;
                } else if listed::is_over_for_all(&alert) {
                    // Another agency of ours may have had it to say, and has not said it yet.
                    coverage::forget_unsaid(tx, None, &alert.case).await?;
                    for agency in &own {
                        let view = entries::view_of(&alert.case, agency);
                        entries::remove(tx, &at_rest, ALERTS, &view, change).await?;
                    }
                } else {
                    // Another agency of ours may know more than this one.
                    entries::remove(tx, &at_rest, ALERTS, &view, change).await?;
                }
            }
            Ok(())
        }
        .boxed()
    })
    .await?;
    // Only now is the index what the issuer is told.
    if let Some(agency) = watchlist.agency(agency) {
        agency.to_report.notify_one();
    }
    Ok(())
}

/// Runs a change of entries in one transaction, and the index after it.
async fn apply<F>(watchlist: &Watchlist, agency: &AgencyCode, work: F) -> Result<(), WriteError<DbError>>
where
    F: for<'t> FnOnce(&'t mut Conn, &'t mut Change) -> BoxFuture<'t, Result<(), DbError>> + Send + 'static,
{
    let id = alerts_of(agency);
    let standing = watchlist.lists.get(&id);
    let (list, now) = (id.clone(), watchlist.clock.now());
    let is_remembering = !watchlist.remembered_for.is_zero();
    // The index follows the store in the store's own order.
    let turn = watchlist.changing.lock().await;
    let change = watchlist
        .store
        .write(move |tx| {
            async move {
                let mut change = Change::default();
                work(tx, &mut change).await?;
                if is_remembering {
                    crossed::note_change(tx, &change).await?;
                }
                if let Some(mut standing) = standing.filter(|_| !change.is_nothing()) {
                    standing.version += 1;
                    standing.heard_at = Some(now);
                    standings::store(tx, &list, &standing).await?;
                }
                Ok::<_, DbError>(change)
            }
            .boxed()
        })
        .await?;
    if !change.is_nothing() {
        watchlist.lists.update(&id, |list| list.version += 1);
        watchlist.apply(&change);
        drop(turn);
        if is_remembering {
            crossed::look_back(watchlist).await?;
        }
    }
    Ok(())
}
