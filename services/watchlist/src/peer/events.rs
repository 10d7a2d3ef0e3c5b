//! Server-sent events (HTML Standard, 9.2) of a gateway.

use rovuma_api::answers::gateway::Event;

use super::{Peer, PeerFault};

/// Maximum bytes of one event: its data are under 1 KiB.
const EVENT_MAX_BYTES: usize = 64 * 1024;

/// What the stream brought.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An event.
    Event(Event),
    /// A sign of life.
    Comment,
}

/// A stream of events that is being read.
#[derive(Debug)]
pub(crate) struct EventReader {
    peer: Peer,
    response: reqwest::Response,
    waiting: Vec<u8>,
    data: String,
}

impl EventReader {
    pub(super) const fn new(peer: Peer, response: reqwest::Response) -> Self {
        Self { peer, response, waiting: Vec::new(), data: String::new() }
    }

    /// Whether the next event is here already, so that several can be looked at together.
    pub(crate) fn has_more(&self) -> bool {
        self.waiting.windows(2).any(|pair| pair == b"\n\n")
    }

    /// The next event or sign of life; none when the stream has ended.
    ///
    /// # Errors
    /// [`PeerFault`] when the line breaks, or what comes is no event.
    pub(crate) async fn next(&mut self) -> Result<Option<Heard>, PeerFault> {
        loop {
            while let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.waiting.drain(..=end).collect();
                if let Some(heard) = self.line(&line)? {
                    return Ok(Some(heard));
                }
            }
            let chunk = self.response.chunk().await.map_err(|fault| self.peer.no_answer(&fault))?;
            let Some(chunk) = chunk else { return Ok(None) };
            self.waiting.extend_from_slice(&chunk);
            if self.waiting.len() > EVENT_MAX_BYTES && !self.waiting.contains(&b'\n') {
                return Err(self.nonsense("a line without end"));
            }
        }
    }

    /// Takes one line: an empty one ends an event.
    fn line(&mut self, line: &[u8]) -> Result<Option<Heard>, PeerFault> {
        let line = std::str::from_utf8(line).map_err(|_| self.nonsense("an event that is no text"))?;
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            if self.data.is_empty() {
                return Ok(None);
            }
            let event = serde_json::from_str(&std::mem::take(&mut self.data));
            return event
                .map(|event| Some(Heard::Event(event)))
                .map_err(|fault| self.nonsense(&fault.to_string()));
        }
        if line.starts_with(':') {
            return Ok(Some(Heard::Comment));
        }
        if let Some(data) = line.strip_prefix("data:") {
            self.data.push_str(data.trim_start());
            if self.data.len() > EVENT_MAX_BYTES {
                return Err(self.nonsense("an event that is too long"));
            }
        }
        Ok(None)
    }

    fn nonsense(&self, reason: &str) -> PeerFault {
        PeerFault::Nonsense { peer: self.peer.name, reason: reason.to_owned() }
    }
}
