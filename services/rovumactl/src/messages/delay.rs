//! Why a copy waits: what this country's broker and the recipient's gateway have confirmed so far, and since when.

use std::time::Duration;

use rovuma_api::answers::gateway::{CopyView, OutgoingStream, Streams, Trace};
use rovuma_schemas::{AgencyCode, Timestamp};

use crate::{
    app::App,
    client::Client,
    moments::{local, readable},
};

/// A copy that is this long in one state is late: on a healthy line a receipt comes within a second.
pub(super) const LATE_AFTER: Duration = Duration::from_secs(20);

/// Recipients whose copies are late, each with the reason in a sentence. Nothing where none is.
pub(super) async fn reasons(app: &App, client: &Client, trace: &Trace) -> Vec<(AgencyCode, String)> {
    let now = app.now();
    let is_late = |copy: &&CopyView| {
        matches!(copy.state.as_str(), "waiting" | "queued") && now.since(copy.since) >= LATE_AFTER
    };
    let late: Vec<&CopyView> = trace.copies.iter().filter(is_late).collect();
    if late.is_empty() {
        return Vec::new();
    }
    // Whoever may trace a message but not see the streams learns what the trace itself says.
    let streams = client.get::<Streams>("/v1/streams", &[]).await.map(|answer| answer.value.outgoing);
    let streams = streams.unwrap_or_default();
    let reason = |copy: &CopyView| (copy.recipient.clone(), reason(copy, heard(&streams, copy), now));
    late.into_iter().map(reason).collect()
}

/// When the recipient's gateway was last heard, in any lane; `None` where nobody knows.
fn heard(streams: &[OutgoingStream], copy: &CopyView) -> Option<Timestamp> {
    let of_recipient = streams.iter().filter(|stream| stream.recipient == copy.recipient);
    of_recipient.filter_map(|stream| stream.heard_at).max()
}

fn reason(copy: &CopyView, heard_at: Option<Timestamp>, now: Timestamp) -> String {
    let CopyView { recipient, since, .. } = copy;
    let (at, span) = (local(*since), readable(now.since(*since)));
    if copy.state == "waiting" {
        return format!(
            "{recipient}: it waits in this country since {at} ({span}), because this country's broker has not taken it. \
             It leaves by itself once the broker takes it; tell the operator if this lasts."
        );
    }
    let heard = match heard_at {
        Some(heard) if heard > *since => format!(
            "their gateway was heard at {}, after that: the line works, and the receipt is still to come",
            local(heard)
        ),
        Some(heard) => format!(
            "their gateway was last heard at {} ({} ago): the line, their broker or their gateway is down",
            local(heard),
            readable(now.since(heard))
        ),
        None => "nothing was heard from their gateway: the line, their broker or their gateway may be down"
            .to_owned(),
    };
    format!("{recipient}: no receipt since {at} ({span}); {heard}. It goes on by itself.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn copy(state: &str) -> CopyView {
        let copy = json!({
            "recipient": "tz.tpf", "lane": "normal", "state": state, "since": "2026-11-29T10:00:00Z", "attempts": 0,
        });
        serde_json::from_value(copy).expect("a copy")
    }

    #[test]
    fn the_reason_names_what_has_not_confirmed() {
        let (now, before, after) =
            (at("2026-11-29T10:05:00Z"), at("2026-11-29T09:58:00Z"), at("2026-11-29T10:04:00Z"));
        let waiting = reason(&copy("waiting"), Some(after), now);
        assert!(waiting.contains("(5 min 0 s), because this country's broker has not taken it"), "{waiting}");
        let down = reason(&copy("queued"), Some(before), now);
        assert!(down.contains("(7 min 0 s ago): the line, their broker or their gateway is down"), "{down}");
        let up = reason(&copy("queued"), Some(after), now);
        assert!(up.contains("the line works"), "{up}");
        assert!(reason(&copy("queued"), None, now).contains("nothing was heard"));
    }
}
