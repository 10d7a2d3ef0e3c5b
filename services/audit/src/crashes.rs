//! Kills the service at every point from a delivery to the published head. Afterwards each acknowledged event is stored, once
//! and in order, and no later head contradicts a published one.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rovuma_envelope::{SealingKey, Signer as _, SigningKey, digest};
use rovuma_runtime::ManualClock;
use rovuma_schemas::audit::AuditEvent;
use rovuma_tlog::{Head, LogFiles, NoteKey, check_log, needed_for_consistency};

use crate::{
    config::ProducerConfig,
    failure::CrashPoint,
    intake::{Acknowledger, Intake, IntakeKeys},
    log::{Tree, check_edge, signed_head},
    publish::{LogFolder, Publisher},
    testing::{GATEWAY, OWN, Producer, delivery, keys_config, open, secret, start},
};

/// The child's folder; without it the child's test does nothing.
const FOLDER: &str = "ROVUMA_AUDIT_CRASH_FOLDER";

/// The point at which the child dies, and how many times it reaches it before: `Tile 1`.
const DIE_AT: &str = "ROVUMA_AUDIT_DIE_AT";

/// The first event that the child delivers.
const FROM: &str = "ROVUMA_AUDIT_CRASH_FROM";

/// Runs for each of the fifteen points: three hundred altogether.
const RUNS_PER_POINT: usize = 20;

/// Events of a delivery. Every third or so completes a tile.
const BATCH: usize = 96;

/// Deliveries of one run.
const DELIVERIES: usize = 3;

/// Kills the process if it is to die at this point.
pub(crate) fn reached(step: CrashPoint) {
    static DEATH: OnceLock<Option<(String, AtomicU32)>> = OnceLock::new();
    let death = DEATH.get_or_init(|| {
        let (step, times) =
            std::env::var(DIE_AT).ok()?.split_once(' ').map(|(step, n)| (step.to_owned(), n.parse()))?;
        Some((step, AtomicU32::new(times.ok()?)))
    });
    if let Some((wanted, left)) = death
        && *wanted == format!("{step:?}")
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        // SIGKILL: nothing of the process runs any more.
        let _ = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
        std::thread::park();
    }
}

/// The service in a child's folder, which holds keys, the producer's events, the store and the log's files.
struct CrashFixture {
    intake: Intake,
    publisher: Publisher,
    producer: Producer,
    events: Vec<String>,
    sealing: SealingKey,
}

impl CrashFixture {
    async fn open(dir: &Path) -> Self {
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).expect("a file");
        let producers =
            [ProducerConfig { source: GATEWAY.to_owned(), key_files: vec![dir.join("gateway.jwk")] }];
        let keys = IntakeKeys::load(&keys_config(dir), &producers, OWN).expect("keys load");
        let (store, sequencer) = open(dir).await;
        let clock = ManualClock::at(start());
        let publisher = Publisher {
            store: store.clone(),
            sequencer: Arc::clone(&sequencer),
            folder: LogFolder::new(dir.join("audit-log")),
            policy: None,
            witness: None,
            interval: Duration::from_millis(1),
            unwitnessed_after: Duration::ZERO,
            clock: clock.shared(),
            cosignatures_needed: Arc::default(),
            settled: Arc::default(),
            published: std::sync::Mutex::default(),
        };
        check_edge(store.read(), &sequencer).await.expect("the store holds what was signed");
        publisher.check().await.expect("the store agrees with the published files");
        let intake = Intake {
            store,
            sequencer,
            keys: Arc::new(keys),
            clock: clock.shared(),
            acknowledger: Acknowledger::default(),
        };
        let key = SigningKey::from_pkcs8_pem(&read("gateway.pem")).expect("a key");
        let events: Vec<String> = read("events").lines().map(str::to_owned).collect();
        let first: AuditEvent = serde_json::from_str(&events[0]).expect("an event");
        let mut producer = Producer::with_keys(GATEWAY, vec![key]);
        producer.epoch = first.epoch;
        let sealing = SealingKey::from_text(&read("sealing.txt")).expect("a key");
        Self { intake, publisher, producer, events, sealing }
    }

    async fn deliver(&self, events: &[String]) -> u64 {
        let signed = self.producer.sign(&self.producer.batch(events)).to_compact();
        let sealed = rovuma_envelope::seal(signed.as_bytes(), self.sealing.recipient()).expect("sealed");
        let key = rovuma_broker::topology::names::audit_event_key(GATEWAY);
        let outcome = self
            .intake
            .store_deliveries(Arc::from([delivery(&key, sealed)]))
            .await
            .expect("the store takes it");
        outcome.heads.values().map(|head| head.sequence).max().expect("acknowledged")
    }
}

/// The child: delivers, publishes, and prints what it acknowledged, until it is killed.
#[test]
fn the_service_that_is_killed() {
    let Some(dir) = std::env::var_os(FOLDER) else { return };
    let from: usize = std::env::var(FROM).expect("from where").parse().expect("a number");
    let executor = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    executor.expect("a runtime").block_on(async {
        let fixture = CrashFixture::open(Path::new(&dir)).await;
        for batch in fixture.events[from..].chunks(BATCH).take(DELIVERIES) {
            let acknowledged = fixture.deliver(batch).await;
            println!("acknowledged {acknowledged}");
            std::io::stdout().flush().expect("said");
            fixture.publisher.publish_all().await.expect("published");
        }
    });
}

/// Runs the child once: the last event that it acknowledged, and whether it died.
fn run(dir: &Path, step: CrashPoint, times: usize, from: usize) -> (Option<u64>, bool) {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program)
        .args(["--exact", "crashes::the_service_that_is_killed", "--nocapture"])
        .env(FOLDER, dir)
        .env(DIE_AT, format!("{step:?} {times}"))
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let said = BufReader::new(child.stdout.take().expect("piped"));
    let acknowledged = said
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok())
        .max();
    let output = child.wait_with_output().expect("ended");
    let died = output.status.code().is_none();
    assert!(died || output.status.success(), "{step:?}: {}", String::from_utf8_lossy(&output.stderr));
    (acknowledged, died)
}

/// The published head of the log, if there is one.
fn published(dir: &Path, key: &SigningKey) -> Option<Head> {
    let note = std::fs::read(dir.join("audit-log/mz.audit/2026/checkpoint")).ok()?;
    Some(signed_head(&note, "mz.audit/2026", key.public_key()).expect("what is published is signed"))
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_appends_nothing_acknowledged_is_lost_and_no_head_is_contradicted() {
    let (appending, _) = CrashPoint::ALL.split_at(CrashPoint::Committed as usize + 1);
    killed(appending).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_publishes_nothing_acknowledged_is_lost_and_no_head_is_contradicted() {
    let (_, publishing) = CrashPoint::ALL.split_at(CrashPoint::Committed as usize + 1);
    killed(publishing).await;
}

/// Kills the service at each of these points many times, on one store, and checks what is left.
async fn killed(steps: &[CrashPoint]) {
    if rovuma_lab::postgres::tests_use_postgres() {
        // Each process of the tests has databases of its own there.
        return;
    }
    let runs = steps.len() * RUNS_PER_POINT;
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let log_pem = SigningKey::generate_pem().expect("a key");
    let log_key = SigningKey::from_pkcs8_pem(&log_pem).expect("a key");
    let gateway_pem = SigningKey::generate_pem().expect("a key");
    let gateway = SigningKey::from_pkcs8_pem(&gateway_pem).expect("a key");
    for (name, text) in [
        ("sealing.txt", &SealingKey::generate().to_text()),
        ("payload.txt", &SealingKey::generate().to_text()),
        ("log.pem", &log_pem),
        ("gateway.pem", &gateway_pem),
    ] {
        secret(&dir.join(name), text);
    }
    std::fs::write(dir.join("gateway.jwk"), gateway.public_key().to_jwk()).expect("written");
    let mut producer = Producer::with_keys(GATEWAY, vec![gateway]);
    let events = producer.events(runs * DELIVERIES * BATCH);
    std::fs::write(dir.join("events"), events.join("\n")).expect("written");

    let (mut acknowledged, mut deaths): (u64, BTreeMap<CrashPoint, u32>) = (0, BTreeMap::new());
    let mut heads: Vec<Head> = Vec::new();
    for number in 0..runs {
        let (step, round) = (steps[number % steps.len()], number / steps.len());
        // A source sends again whatever was not acknowledged, and may send again what was.
        let again = if number.is_multiple_of(3) { 40 } else { 0 };
        let from = usize::try_from(acknowledged).expect("few").saturating_sub(again);
        let (said, died) = run(dir, step, 1 + round % 3, from);
        acknowledged = acknowledged.max(said.unwrap_or(0));
        *deaths.entry(step).or_default() += u32::from(died);
        if let Some(head) = published(dir, &log_key).filter(|head| heads.last() != Some(head)) {
            heads.push(head);
        }
    }
    for step in steps {
        assert!(deaths.get(step).is_some_and(|deaths| *deaths > 5), "{step:?}: {deaths:?}");
    }
    assert!(heads.len() > runs / 3, "{} heads were published", heads.len());

    let fixture = CrashFixture::open(dir).await;
    fixture.publisher.publish_all().await.expect("published");
    let rows = sqlx::query(
        "SELECT e.sequence, e.digest FROM entry e JOIN lineage l ON l.lineage_id = e.lineage_id
         WHERE l.source = $1 ORDER BY e.entry_index",
    )
    .bind(GATEWAY)
    .fetch_all(fixture.intake.store.read())
    .await
    .expect("reads");
    assert!(u64::try_from(rows.len()).expect("few") >= acknowledged, "what was acknowledged is there");
    for (place, row) in rows.iter().enumerate() {
        use rovuma_store::RowExt as _;
        let (sequence, kept) =
            (row.count("sequence").expect("a number"), row.digest("digest").expect("a digest"));
        assert_eq!(
            (sequence, kept),
            (place as u64 + 1, digest(events[place].as_bytes())),
            "once and in order"
        );
    }
    no_fork(&fixture, &heads).await;
    let key = NoteKey::of_log("mz.audit/2026", log_key.public_key()).expect("a key");
    let policy = format!("log {key}\nquorum none\n").parse().expect("a policy");
    let files = Published(dir.join("audit-log/mz.audit/2026"));
    check_log(&files, &policy, |_, _| Ok::<_, std::io::Error>(())).expect("what is published holds");
}

/// The published files.
struct Published(std::path::PathBuf);

impl LogFiles for Published {
    type Fault = std::io::Error;

    fn paths(&self) -> Result<Vec<String>, std::io::Error> {
        let (mut found, mut folders) = (Vec::new(), vec![self.0.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(below) = path.strip_prefix(&self.0) {
                    found.push(below.to_string_lossy().into_owned());
                }
            }
        }
        // What a process left that was killed while it wrote: nobody reads it.
        found.retain(|path| !std::path::Path::new(path).file_name().is_some_and(rovuma_files::is_unfinished));
        Ok(found)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, std::io::Error> {
        std::fs::read(self.0.join(path))
    }
}

/// Checks that the present tree continues every head that was ever published.
async fn no_fork(fixture: &CrashFixture, heads: &[Head]) {
    let pool = fixture.intake.store.read();
    let tree = Tree::all(pool).await.expect("reads").pop().expect("a tree");
    let present = tree.head();
    for head in heads {
        let wanted = needed_for_consistency(head.size, present.size).expect("it only grew");
        let tiles = tree.load_tiles(pool, present.size, wanted).await.expect("reads");
        let proof = tiles.consistency(head.size).expect("proven");
        present.continues(head, &proof).unwrap_or_else(|fault| panic!("{head:?}: {fault}"));
    }
}
