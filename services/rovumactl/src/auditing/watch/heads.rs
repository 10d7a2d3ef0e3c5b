//! Checks the heads of one log: who signed them, and whether each continues the one before.

use rovuma_schemas::Timestamp;
use rovuma_tlog::{
    Checkpoint, Head, LoadedTiles, LogPolicy, PolicyVerdict, ProofFault, Tile, UnverifiedCheckpoint,
    needed_for_consistency,
};

use super::{WatchAlarm, WatchFinding};
use crate::{
    auditing::verify::origin_path,
    client::Client,
    exit::{Exit, Failure, Outcome},
};

/// Verifies that this log's key signed the head. Returns the head and the witnesses whose cosignatures it lacks.
pub(super) fn verify_head(
    note: &[u8],
    log: &str,
    policy: &LogPolicy,
) -> Result<(Checkpoint, Vec<String>), WatchAlarm> {
    let not_signed = |detail: String| (WatchFinding::NotSigned, detail);
    let read = UnverifiedCheckpoint::read(note).map_err(|fault| not_signed(fault.to_string()))?;
    if read.unverified_head().origin != log {
        return Err(not_signed("the head is of another log".to_owned()));
    }
    match policy.judge(read) {
        PolicyVerdict::Good(checkpoint) => Ok((checkpoint, Vec::new())),
        PolicyVerdict::Unwitnessed { checkpoint, missing } => Ok((checkpoint, missing)),
        PolicyVerdict::NotSigned => {
            Err(not_signed("no log that the policy names signed the head".to_owned()))
        }
        PolicyVerdict::Forged { name } => {
            Err(not_signed(format!("the signature in the name of {name} is not by its key")))
        }
    }
}

/// The alarm about missing cosignatures, if any are missing.
pub(super) fn unwitnessed(missing: &[String]) -> Option<WatchAlarm> {
    let detail = || format!("not cosigned by {}", missing.join(", "));
    (!missing.is_empty()).then(|| (WatchFinding::Unwitnessed, detail()))
}

/// The alarm about an old head, if its newest cosignature is more than `stale_after` seconds old.
pub(super) fn staleness(checkpoint: &Checkpoint, stale_after: u64, at: Timestamp) -> Option<WatchAlarm> {
    let newest = checkpoint.cosigned().iter().map(|word| word.unix_s).max()?;
    let now = u64::try_from(at.as_micros() / 1_000_000).ok()?;
    let age = now.saturating_sub(newest);
    (age > stale_after).then(|| (WatchFinding::Stale, format!("the newest cosignature is {age} s old")))
}

/// The alarm about a head that does not continue a former head of the same log.
pub(super) async fn check_continues(
    client: &Client,
    former: &Head,
    head: &Head,
) -> Outcome<Option<WatchAlarm>> {
    if head.size < former.size {
        return Ok(Some((WatchFinding::Shrunken, format!("{} leaves were signed before", former.size))));
    }
    let mut tiles = LoadedTiles::of(head.size);
    for tile in needed_for_consistency(former.size, head.size).map_err(unproved)? {
        let (tile, bytes) = fetch(client, &head.origin, tile).await?;
        tiles.add(tile, bytes);
    }
    let proof = tiles.consistency(former.size).map_err(unproved)?;
    Ok(head.continues(former, &proof).err().map(|_| {
        let detail =
            format!("it does not continue the log of {} leaves; the two heads prove it", former.size);
        (WatchFinding::Fork, detail)
    }))
}

/// Fetches a tile. When a partial tile is missing because it has become full meanwhile, fetches the full one.
pub(super) async fn fetch(client: &Client, origin: &str, tile: Tile) -> Outcome<(Tile, Vec<u8>)> {
    let base = origin_path(origin)?;
    match client.get_bytes(&format!("{base}/{tile}")).await {
        Ok(bytes) => Ok((tile, bytes)),
        Err(_) if !tile.is_full() => {
            let full = tile.full();
            Ok((full, client.get_bytes(&format!("{base}/{full}")).await?))
        }
        Err(failure) => Err(failure),
    }
}

pub(super) fn unproved(fault: ProofFault) -> Failure {
    Failure::new(Exit::Verification, format!("the log cannot be proven to continue: {fault}"))
        .next("try again; if it persists, the log's files are incomplete")
}

#[cfg(test)]
mod tests {
    use rovuma_envelope::{Signer as _, SigningKey};
    use rovuma_tlog::{Hash, Head, NoteKey, add_cosignature, cosign, sign};

    use super::*;

    /// A head that one witness cosigned at this time.
    fn cosigned_at(unix_s: u64) -> Checkpoint {
        let (log, witness) = (SigningKey::generate().expect("a key"), SigningKey::generate().expect("a key"));
        let head = Head { origin: "mz.audit/2026".to_owned(), size: 7, root: Hash([7; 32]) };
        let read = UnverifiedCheckpoint::read(&sign(&head, &log).expect("signed")).expect("a checkpoint");
        let log = NoteKey::of_log(&head.origin, log.public_key()).expect("a name");
        let key = NoteKey::of_cosigner("tz.audit", witness.public_key()).expect("a name");
        let policy: LogPolicy = format!("log {log}\nwitness tz {key}\nquorum tz").parse().expect("a policy");
        let PolicyVerdict::Unwitnessed { checkpoint, .. } = policy.judge(read.clone()) else {
            panic!("not cosigned yet")
        };
        let line = cosign(&checkpoint, key.name(), &witness, unix_s).expect("cosigned");
        match policy.judge(add_cosignature(&read, &line, &key).expect("its own")) {
            PolicyVerdict::Good(checkpoint) => checkpoint,
            other => panic!("cosigned: {other:?}"),
        }
    }

    #[test]
    fn a_head_is_stale_when_its_newest_cosignature_is_old() {
        let checkpoint = cosigned_at(1_790_000_000);
        let at = |unix_s: i64| Timestamp::from_micros(unix_s * 1_000_000).expect("an instant");
        assert_eq!(staleness(&checkpoint, 900, at(1_790_000_900)), None);
        let (finding, detail) = staleness(&checkpoint, 900, at(1_790_000_901)).expect("stale");
        assert!(finding == WatchFinding::Stale && detail.contains("901 s old"), "{detail}");
        // When our clock is behind the witness's, the head does not count as old.
        assert_eq!(staleness(&checkpoint, 0, at(1_780_000_000)), None);
    }
}
