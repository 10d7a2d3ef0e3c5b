//! Content headers: reads those that a broker sends, and writes those that lapin gets instead.
//!
//! Layout (AMQP 0-9-1, 4.2.6.1): class, weight, size of the body, flags, then each property whose flag is set.

use std::fmt;

/// Maximum bytes of a content header's payload. Our services write a message id, a content type and W3C trace context, of at
/// most 512 bytes each; a shovel adds its user, a queue its counters.
pub(super) const HEADER_MAX_BYTES: usize = 8 * 1024;

/// The bytes before the flags: class, weight, size of the body.
pub(super) const FIXED_BYTES: usize = 2 + 2 + 8;

/// The header in which a [`HeaderFault`] travels from here to [`crate::Delivery`].
pub(crate) const FAULT: &str = "rovuma-header-fault";

/// Why the properties and headers of a message were not read. Its body is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderFault {
    /// They are larger than any service of ours makes them.
    TooLarge,
    /// A header's value is a table or an array: all of ours are text.
    Nested,
    /// A name or a text is not UTF-8.
    NotText,
    /// They are not in AMQP's form, or use a name that only this crate may use.
    Malformed,
}

impl HeaderFault {
    const ALL: [Self; 4] = [Self::TooLarge, Self::Nested, Self::NotText, Self::Malformed];

    /// The fault's word, for logs and operators.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Nested => "nested",
            Self::NotText => "not_text",
            Self::Malformed => "malformed",
        }
    }

    /// The fault of this word.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == word)
    }
}

impl fmt::Display for HeaderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The flags of the properties that services read.
const CONTENT_TYPE: u16 = 1 << 15;
const HEADERS: u16 = 1 << 13;
const MESSAGE_ID: u16 = 1 << 7;

/// Set when more flags follow. AMQP has no more.
const MORE_FLAGS: u16 = 1;

/// A property's type.
enum Kind {
    ShortText,
    Table,
    Byte,
    EightBytes,
}

/// All properties of class `basic`, in the order of their flags from the highest.
const PROPERTIES: [Kind; 14] = [
    Kind::ShortText,  // content-type
    Kind::ShortText,  // content-encoding
    Kind::Table,      // headers
    Kind::Byte,       // delivery-mode
    Kind::Byte,       // priority
    Kind::ShortText,  // correlation-id
    Kind::ShortText,  // reply-to
    Kind::ShortText,  // expiration
    Kind::ShortText,  // message-id
    Kind::EightBytes, // timestamp
    Kind::ShortText,  // type
    Kind::ShortText,  // user-id
    Kind::ShortText,  // app-id
    Kind::ShortText,  // cluster-id
];

/// The properties that services use.
#[derive(Debug, Default)]
struct Properties<'a> {
    content_type: Option<&'a str>,
    message_id: Option<&'a str>,
    /// Headers whose value is text.
    headers: Vec<(&'a str, &'a str)>,
}

/// The payload that lapin gets instead of `payload`, which has at least [`FIXED_BYTES`].
pub(super) fn rewritten(payload: &[u8]) -> Vec<u8> {
    let (fixed, rest) = payload.split_at(FIXED_BYTES);
    match Properties::read(rest) {
        Ok(properties) => properties.write(fixed),
        Err(fault) => unreadable(fixed, fault),
    }
}

/// A payload that says why there are no properties. `fixed` are the first [`FIXED_BYTES`].
pub(super) fn unreadable(fixed: &[u8], fault: HeaderFault) -> Vec<u8> {
    let headers = vec![(FAULT, fault.as_str())];
    Properties { headers, ..Properties::default() }.write(fixed)
}

impl<'a> Properties<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, HeaderFault> {
        let mut rest = Reader(bytes);
        let flags = u16::from_be_bytes(rest.array()?);
        if flags & MORE_FLAGS != 0 {
            return Err(HeaderFault::Malformed);
        }
        let mut read = Self::default();
        for (place, kind) in PROPERTIES.iter().enumerate() {
            let flag = CONTENT_TYPE >> place;
            if flags & flag == 0 {
                continue;
            }
            match kind {
                Kind::ShortText => {
                    let text = rest.short_text()?;
                    match flag {
                        CONTENT_TYPE => read.content_type = Some(text),
                        MESSAGE_ID => read.message_id = Some(text),
                        _ => {}
                    }
                }
                Kind::Table => read.headers = headers(rest.long_bytes()?)?,
                Kind::Byte => _ = rest.take(1)?,
                Kind::EightBytes => _ = rest.take(8)?,
            }
        }
        if rest.0.is_empty() { Ok(read) } else { Err(HeaderFault::Malformed) }
    }

    fn write(&self, fixed: &[u8]) -> Vec<u8> {
        let mut flags = 0;
        let mut properties = Vec::new();
        if let Some(text) = self.content_type {
            flags |= CONTENT_TYPE;
            write_short(&mut properties, text);
        }
        if !self.headers.is_empty() {
            flags |= HEADERS;
            let mut table = Vec::new();
            for (name, text) in &self.headers {
                write_short(&mut table, name);
                table.push(b'S');
                write_long(&mut table, text.as_bytes());
            }
            write_long(&mut properties, &table);
        }
        if let Some(text) = self.message_id {
            flags |= MESSAGE_ID;
            write_short(&mut properties, text);
        }
        [fixed, &flags.to_be_bytes(), &properties].concat()
    }
}

/// The headers of a table whose value is text.
fn headers(table: &[u8]) -> Result<Vec<(&str, &str)>, HeaderFault> {
    let mut rest = Reader(table);
    let mut kept = Vec::new();
    while !rest.0.is_empty() {
        let name = rest.short_text()?;
        if name == FAULT {
            return Err(HeaderFault::Malformed);
        }
        // RabbitMQ's types, which differ from those of the specification.
        // <https://www.rabbitmq.com/amqp-0-9-1-errata#section_3>
        match rest.byte()? {
            b'S' => {
                let text = std::str::from_utf8(rest.long_bytes()?).map_err(|_| HeaderFault::NotText)?;
                kept.push((name, text));
            }
            b'V' => {}
            b't' | b'b' | b'B' => _ = rest.take(1)?,
            b's' | b'u' => _ = rest.take(2)?,
            b'I' | b'i' | b'f' => _ = rest.take(4)?,
            b'D' => _ = rest.take(5)?,
            b'l' | b'L' | b'd' | b'T' => _ = rest.take(8)?,
            b'x' => _ = rest.long_bytes()?,
            b'F' | b'A' => return Err(HeaderFault::Nested),
            _ => return Err(HeaderFault::Malformed),
        }
    }
    Ok(kept)
}

/// The bytes that have not been read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], HeaderFault> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(HeaderFault::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], HeaderFault> {
        self.take(N)?.try_into().map_err(|_| HeaderFault::Malformed)
    }

    fn byte(&mut self) -> Result<u8, HeaderFault> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn short_text(&mut self) -> Result<&'a str, HeaderFault> {
        let length = usize::from(self.byte()?);
        std::str::from_utf8(self.take(length)?).map_err(|_| HeaderFault::NotText)
    }

    fn long_bytes(&mut self) -> Result<&'a [u8], HeaderFault> {
        let length = u32::from_be_bytes(self.array()?);
        self.take(usize::try_from(length).map_err(|_| HeaderFault::Malformed)?)
    }
}

/// Writes a text that was read as a short one, or a name of ours: at most 255 bytes.
fn write_short(output: &mut Vec<u8>, text: &str) {
    output.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    output.extend_from_slice(text.as_bytes());
}

fn write_long(output: &mut Vec<u8>, bytes: &[u8]) {
    output.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    output.extend_from_slice(bytes);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const FIXED: [u8; FIXED_BYTES] = [0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];

    /// A content header with these flags and properties, of a body of nine bytes.
    pub(in crate::incoming) fn payload(flags: u16, properties: &[u8]) -> Vec<u8> {
        [&FIXED[..], &flags.to_be_bytes(), properties].concat()
    }

    /// A table of one header.
    fn header(name: &[u8], value: &[u8]) -> Vec<u8> {
        let entry = [&[u8::try_from(name.len()).expect("short")], name, value].concat();
        let mut table = Vec::new();
        write_long(&mut table, &entry);
        table
    }

    fn long(kind: u8, bytes: &[u8]) -> Vec<u8> {
        let mut value = vec![kind];
        write_long(&mut value, bytes);
        value
    }

    fn fault(payload: &[u8]) -> HeaderFault {
        Properties::read(&payload[FIXED_BYTES..]).expect_err("unreadable")
    }

    #[test]
    fn what_services_use_is_kept_and_the_rest_is_left_out() {
        let mut all = Vec::new();
        write_short(&mut all, "text/plain");
        write_short(&mut all, "gzip");
        let entries = [
            &b"\x0btraceparent"[..],
            &long(b'S', b"00-ab"),
            b"\x10x-delivery-count",
            &[b'l', 0, 0, 0, 0, 0, 0, 0, 3],
            b"\x01n",
            b"V",
            b"\x01t",
            &[b't', 1],
            b"\x01D",
            &[b'D', 1, 0, 0, 0, 2],
            b"\x01x",
            &long(b'x', &[0xff]),
        ]
        .concat();
        write_long(&mut all, &entries);
        all.extend([2, 0]);
        for text in ["correlation", "reply", "60000", "the-id"] {
            write_short(&mut all, text);
        }
        all.extend([0; 8]);
        for text in ["type", "link.tz", "app", "cluster"] {
            write_short(&mut all, text);
        }
        let written = rewritten(&payload(0xfffc, &all));
        let read = Properties::read(&written[FIXED_BYTES..]).expect("readable");
        assert_eq!(written[..FIXED_BYTES], FIXED);
        assert_eq!((read.content_type, read.message_id), (Some("text/plain"), Some("the-id")));
        assert_eq!(read.headers, [("traceparent", "00-ab")]);
    }

    #[test]
    fn a_message_without_properties_stays_without() {
        let bare = payload(0, &[]);
        assert_eq!(rewritten(&bare), bare);
    }

    #[test]
    fn a_header_that_cannot_be_read_is_replaced_by_its_fault() {
        let nested = |kind| header(b"a", &long(kind, &long(kind, &[])));
        for (flags, properties, expected) in [
            (HEADERS, nested(b'F'), HeaderFault::Nested),
            (HEADERS, nested(b'A'), HeaderFault::Nested),
            (HEADERS, header(b"\xff", b"V"), HeaderFault::NotText),
            (HEADERS, header(b"a", &long(b'S', b"\xff")), HeaderFault::NotText),
            (HEADERS, header(b"a", b"?"), HeaderFault::Malformed),
            (HEADERS, header(b"a", b"S\0\0\0\x09short"), HeaderFault::Malformed),
            (HEADERS, header(FAULT.as_bytes(), &long(b'S', b"nested")), HeaderFault::Malformed),
            (HEADERS, vec![0, 0], HeaderFault::Malformed),
            (MESSAGE_ID, b"\x02\xc3\x28".to_vec(), HeaderFault::NotText),
            (MESSAGE_ID, b"\x05id".to_vec(), HeaderFault::Malformed),
            (MESSAGE_ID | MORE_FLAGS, b"\x02id".to_vec(), HeaderFault::Malformed),
            (0, b"more".to_vec(), HeaderFault::Malformed),
        ] {
            let unreadable = payload(flags, &properties);
            assert_eq!(fault(&unreadable), expected, "{properties:?}");
            let written = rewritten(&unreadable);
            assert_eq!(written[..FIXED_BYTES], FIXED);
            // The replacement carries the reserved name, so reading it again is a fault too: nobody outside can write it.
            assert_eq!(fault(&written), HeaderFault::Malformed);
            assert!(written.ends_with(expected.as_str().as_bytes()), "{written:?}");
        }
    }

    #[test]
    fn every_fault_has_a_word_of_its_own() {
        for fault in HeaderFault::ALL {
            assert_eq!(HeaderFault::of_word(fault.as_str()), Some(fault));
        }
        assert_eq!(HeaderFault::of_word("other"), None);
    }
}
