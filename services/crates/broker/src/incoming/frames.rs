//! Cuts what a broker sends into frames, and changes those that lapin could not read.
//!
//! A frame (AMQP 0-9-1, 2.3.5): type, channel (2 bytes), size of the payload (4 bytes), payload, end.

use super::header::{self, FIXED_BYTES, HEADER_MAX_BYTES, HeaderFault};

/// The types of frames that may be changed.
const METHOD: u8 = 1;
const CONTENT_HEADER: u8 = 2;

const FRAME_END: u8 = 0xce;

/// The bytes before the payload.
const HEAD_BYTES: usize = 1 + 2 + 4;

/// The first byte of the protocol header, which a broker sends, and closes, when it speaks another version.
const PROTOCOL_HEADER: u8 = b'A';

/// Class and method of `basic.deliver`.
const DELIVER: [u8; 4] = [0, 60, 0, 60];

/// Maximum bytes of a `basic.deliver`: its name, three short texts, a tag and a byte of flags.
const DELIVER_MAX_BYTES: usize = 4 + 3 * 256 + 8 + 1;

/// Changes a stream of frames so that lapin can read each. It keeps at most one frame, of at most [`HEADER_MAX_BYTES`].
#[derive(Debug, Default)]
pub(super) struct FrameFilter {
    next: Next,
    /// The beginning of the present frame.
    gathered: Vec<u8>,
}

/// What is done with the bytes that come next.
#[derive(Debug, Default)]
enum Next {
    /// Gather the head of a frame, and of a method its name too.
    #[default]
    Head,
    /// Gather the frame, which has this length, and change it.
    Change { length: usize },
    /// Gather the first bytes of a content header that is too large, and leave out the rest of it.
    CutShort { rest: u64 },
    /// Hand on this many bytes.
    Copy { left: u64 },
    /// Leave out this many bytes.
    Skip { left: u64 },
}

impl FrameFilter {
    /// Takes the bytes that the broker sent next, and appends to `output` those that lapin is to read.
    pub(super) fn filter(&mut self, mut input: &[u8], output: &mut Vec<u8>) {
        while !input.is_empty() {
            input = match self.next {
                Next::Head => self.head(input, output),
                Next::Change { length } => self.change(input, length, output),
                Next::CutShort { rest } => self.cut_short(input, rest, output),
                Next::Copy { left } => {
                    let (copied, rest) = first(input, left);
                    output.extend_from_slice(copied);
                    self.advance(left, copied.len(), |left| Next::Copy { left });
                    rest
                }
                Next::Skip { left } => {
                    let (skipped, rest) = first(input, left);
                    self.advance(left, skipped.len(), |left| Next::Skip { left });
                    rest
                }
            };
        }
    }

    /// Goes on with the bytes that are left, or with the next frame.
    fn advance(&mut self, left: u64, done: usize, more: fn(u64) -> Next) {
        let left = left.saturating_sub(done as u64);
        self.next = if left == 0 { Next::Head } else { more(left) };
    }

    /// Gathers until there are `length` bytes. Returns the bytes that are left when there are.
    fn gather<'i>(&mut self, input: &'i [u8], length: usize) -> Option<&'i [u8]> {
        let missing = length.saturating_sub(self.gathered.len());
        let (gathered, rest) = input.split_at(missing.min(input.len()));
        self.gathered.extend_from_slice(gathered);
        (self.gathered.len() >= length).then_some(rest)
    }

    fn head<'i>(&mut self, input: &'i [u8], output: &mut Vec<u8>) -> &'i [u8] {
        let Some(rest) = self.gather(input, HEAD_BYTES) else { return &[] };
        let (kind, size) = (self.gathered[0], payload_size(&self.gathered));
        self.next = match kind {
            PROTOCOL_HEADER => self.copy(u64::MAX, output),
            CONTENT_HEADER if (FIXED_BYTES..=HEADER_MAX_BYTES).contains(&size) => {
                Next::Change { length: HEAD_BYTES + size + 1 }
            }
            CONTENT_HEADER if size > HEADER_MAX_BYTES => {
                Next::CutShort { rest: (size - FIXED_BYTES) as u64 + 1 }
            }
            METHOD if size >= DELIVER.len() => {
                let Some(rest) = self.gather(rest, HEAD_BYTES + DELIVER.len()) else { return &[] };
                let is_deliver = self.gathered[HEAD_BYTES..].starts_with(&DELIVER);
                self.next = if is_deliver && size <= DELIVER_MAX_BYTES {
                    Next::Change { length: HEAD_BYTES + size + 1 }
                } else {
                    self.copy((size - DELIVER.len()) as u64 + 1, output)
                };
                return rest;
            }
            _ => self.copy(size as u64 + 1, output),
        };
        rest
    }

    /// Hands on what was gathered, and the bytes after it.
    fn copy(&mut self, left: u64, output: &mut Vec<u8>) -> Next {
        output.append(&mut self.gathered);
        Next::Copy { left }
    }

    fn change<'i>(&mut self, input: &'i [u8], length: usize, output: &mut Vec<u8>) -> &'i [u8] {
        let Some(rest) = self.gather(input, length) else { return &[] };
        if self.gathered[0] == CONTENT_HEADER {
            let payload = &self.gathered[HEAD_BYTES..length - 1];
            write_content_header(&self.gathered, &header::rewritten(payload), output);
        } else {
            make_routing_key_text(&mut self.gathered[HEAD_BYTES..length - 1]);
            output.extend_from_slice(&self.gathered);
        }
        self.gathered.clear();
        self.next = Next::Head;
        rest
    }

    fn cut_short<'i>(&mut self, input: &'i [u8], left: u64, output: &mut Vec<u8>) -> &'i [u8] {
        let Some(rest) = self.gather(input, HEAD_BYTES + FIXED_BYTES) else { return &[] };
        let payload = header::unreadable(&self.gathered[HEAD_BYTES..], HeaderFault::TooLarge);
        write_content_header(&self.gathered, &payload, output);
        self.gathered.clear();
        self.next = Next::Skip { left };
        rest
    }
}

/// The first bytes of `input`, at most `count`, and the others.
fn first(input: &[u8], count: u64) -> (&[u8], &[u8]) {
    input.split_at(usize::try_from(count).unwrap_or(usize::MAX).min(input.len()))
}

fn payload_size(head: &[u8]) -> usize {
    head[3..HEAD_BYTES].iter().fold(0, |size, byte| size << 8 | usize::from(*byte))
}

/// Writes a content header on the channel of `frame`.
fn write_content_header(frame: &[u8], payload: &[u8], output: &mut Vec<u8>) {
    output.extend_from_slice(&frame[..3]);
    output.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
    output.extend_from_slice(payload);
    output.push(FRAME_END);
}

/// Replaces the bytes of a routing key that is not UTF-8. A publisher reaches a queue with any key, when the header `CC` names
/// another.
fn make_routing_key_text(deliver: &mut [u8]) {
    let Some(key) = routing_key_of(deliver) else { return };
    if std::str::from_utf8(&deliver[key.clone()]).is_err() {
        deliver[key].iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
    }
}

/// Where the routing key of a `basic.deliver` is: after the consumer's tag, the delivery's tag, the flags and the exchange.
fn routing_key_of(deliver: &[u8]) -> Option<std::ops::Range<usize>> {
    let end_of_text = |at: usize| Some(at + 1 + usize::from(*deliver.get(at)?));
    let exchange = end_of_text(DELIVER.len())? + 8 + 1;
    let key = end_of_text(exchange)?;
    let end = end_of_text(key)?;
    (end <= deliver.len()).then_some(key + 1..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incoming::header::tests::payload;

    const HEARTBEAT: u8 = 8;
    const BODY: u8 = 3;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(payload.len()).expect("fits").to_be_bytes();
        [&[kind, 0, 7], &size[..], payload, &[FRAME_END]].concat()
    }

    fn deliver(routing_key: &[u8]) -> Vec<u8> {
        let key_length = [u8::try_from(routing_key.len()).expect("short")];
        let tag = [0, 0, 0, 0, 0, 0, 0, 1, 0];
        let parts = [&DELIVER[..], b"\x03tag", &tag, b"\x0aingress.tz", &key_length, routing_key];
        frame(METHOD, &parts.concat())
    }

    /// A content header whose one header has a text of this length.
    fn content_header(length: usize) -> Vec<u8> {
        let text = u32::try_from(length).expect("fits").to_be_bytes();
        let table = [b"\x01aS", &text[..], &vec![b'a'; length]].concat();
        let size = u32::try_from(table.len()).expect("fits").to_be_bytes();
        frame(CONTENT_HEADER, &payload(1 << 13, &[&size[..], &table].concat()))
    }

    fn filtered(input: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        FrameFilter::default().filter(input, &mut output);
        output
    }

    /// Where the frames of a stream begin and end, by their sizes.
    fn frames(mut stream: &[u8]) -> Vec<&[u8]> {
        let mut frames = Vec::new();
        while !stream.is_empty() {
            let (frame, rest) = stream.split_at(HEAD_BYTES + payload_size(stream) + 1);
            assert_eq!(frame.last(), Some(&FRAME_END));
            frames.push(frame);
            stream = rest;
        }
        frames
    }

    #[test]
    fn what_lapin_can_read_is_not_changed() {
        let stream = [
            frame(METHOD, &[0, 10, 0, 30, 1, 2, 3]),
            deliver("mz.prm.urgent".as_bytes()),
            content_header(100),
            frame(BODY, &[0xff; 5000]),
            frame(HEARTBEAT, &[]),
            frame(METHOD, &[0, 10]),
        ]
        .concat();
        assert_eq!(filtered(&stream), stream);
    }

    #[test]
    fn another_version_of_the_protocol_is_handed_on() {
        let header = b"AMQP\x00\x01\x00\x00";
        assert_eq!(filtered(header), header);
    }

    #[test]
    fn a_header_of_any_size_becomes_a_small_one_and_the_next_frame_follows() {
        let body = frame(BODY, b"the body");
        for length in [HEADER_MAX_BYTES, 17_000, 100_000, 131_064, 1 << 20] {
            let output = filtered(&[content_header(length), body.clone()].concat());
            let frames = frames(&output);
            assert_eq!((frames.len(), frames[1]), (2, &body[..]), "{length}");
            assert!(frames[0].len() < 100, "{length}");
            assert!(frames[0][..frames[0].len() - 1].ends_with(b"too_large"), "{length}");
            assert_eq!(frames[0][HEAD_BYTES..][..FIXED_BYTES], payload(0, &[])[..FIXED_BYTES]);
        }
    }

    /// Each level of a table costs an attacker five bytes, and a parser by recursion a piece of its stack.
    #[test]
    fn tables_in_tables_are_not_handed_on() {
        let mut value = vec![b'V'];
        while value.len() < HEADER_MAX_BYTES - 100 {
            let size = u32::try_from(value.len()).expect("fits").to_be_bytes();
            value = [b"A", &size[..], &value].concat();
        }
        let table = [b"\x01a", &value[..]].concat();
        let size = u32::try_from(table.len()).expect("fits").to_be_bytes();
        let nested = frame(CONTENT_HEADER, &payload(1 << 13, &[&size[..], &table].concat()));
        let output = filtered(&nested);
        assert!(output[..output.len() - 1].ends_with(b"nested"), "{output:?}");
    }

    #[test]
    fn a_routing_key_becomes_text_of_the_same_length() {
        assert_eq!(filtered(&deliver(b"mz.\xff\xfe.urgent")), deliver(b"mz.??.urgent"));
        let portuguese = deliver("mz.fronteira-é".as_bytes());
        assert_eq!(filtered(&portuguese), portuguese);
    }

    #[test]
    fn a_delivery_that_is_cut_off_inside_is_handed_on_as_it_is() {
        for length in 4..30 {
            let whole = deliver(b"mz.\xff.urgent");
            let cut = frame(METHOD, &whole[HEAD_BYTES..HEAD_BYTES + length]);
            assert_eq!(filtered(&cut), cut, "{length}");
        }
    }

    #[test]
    fn the_pieces_in_which_bytes_arrive_make_no_difference() {
        let stream = [
            deliver(b"\xff"),
            content_header(20),
            frame(BODY, b"one"),
            deliver(b"key"),
            content_header(HEADER_MAX_BYTES + 1),
            frame(BODY, b"two"),
        ]
        .concat();
        let whole = filtered(&stream);
        assert_eq!(frames(&whole).len(), 6);
        for size in [1, 2, 3, 7, 8, 11, 12, 19, 20, 4096] {
            let (mut filter, mut output) = (FrameFilter::default(), Vec::new());
            stream.chunks(size).for_each(|piece| filter.filter(piece, &mut output));
            assert_eq!(output, whole, "in pieces of {size}");
        }
    }
}
