//! XML as a list may have it: elements and text. No DOCTYPE, no entities but the five of XML, bounded depth and size.

use std::io::BufRead;

use quick_xml::{
    Reader,
    escape::resolve_xml_entity,
    events::{BytesRef, Event},
};

use super::{element::Element, meter::Meter};
use crate::lists::{
    ListError,
    limits::{DEPTH_MAX, ELEMENTS_MAX},
    text::shown,
};

/// Reads a document from its first to its last tag.
pub(super) struct Xml<'a> {
    reader: Reader<Meter<'a>>,
    buffer: Vec<u8>,
    depth: usize,
    is_begun: bool,
    is_in_record: bool,
    /// Where the current token begins.
    line: u64,
}

/// A part of the document.
pub(super) enum Token {
    Open { name: String, line: u64 },
    Close,
    Text(String),
}

impl<'a> Xml<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead) -> Self {
        let mut reader = Reader::from_reader(Meter::new(input));
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), depth: 0, is_begun: false, is_in_record: false, line: 1 }
    }

    /// The line of the last token.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The next start tag, or the end tag of the element that is open. Nothing at the end of the document.
    ///
    /// # Errors
    /// When there is text, or the document is refused.
    pub(super) fn next_tag(&mut self) -> Result<Option<Token>, ListError> {
        loop {
            match self.next()? {
                Some(Token::Text(text)) if text.trim().is_empty() => {}
                Some(Token::Text(text)) => {
                    return Err(ListError::line(
                        self.line,
                        format!("has text outside of records: {}", shown(&text)),
                    ));
                }
                tag => return Ok(tag),
            }
        }
    }

    /// Reads the element whose start tag was the last token, with all that is in it.
    pub(super) fn element(&mut self, name: String, line: u64) -> Result<Element, ListError> {
        self.reader.get_mut().restart();
        self.is_in_record = true;
        let mut open = vec![Element { name, line, ..Element::default() }];
        let mut count = 1;
        loop {
            match self.next()? {
                Some(Token::Open { name, line }) => {
                    count += 1;
                    if count > ELEMENTS_MAX {
                        return Err(ListError::line(
                            line,
                            format!("has more than {ELEMENTS_MAX} elements in one record"),
                        ));
                    }
                    open.push(Element { name, line, ..Element::default() });
                }
                Some(Token::Text(text)) => {
                    if let Some(element) = open.last_mut() {
                        element.content.push_str(&text);
                    }
                }
                Some(Token::Close) => match (open.pop(), open.last_mut()) {
                    (Some(element), Some(parent)) => parent.elements.push(element),
                    (Some(element), None) => {
                        self.is_in_record = false;
                        return Ok(element);
                    }
                    (None, _) => return Err(self.truncated()),
                },
                None => return Err(self.truncated()),
            }
        }
    }

    /// Passes over all that is in the element whose start tag was the last token.
    pub(super) fn skip_to_end(&mut self) -> Result<(), ListError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if self.next()?.is_none() {
                return Err(self.truncated());
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Token>, ListError> {
        loop {
            if !self.is_in_record {
                self.reader.get_mut().restart();
            }
            self.line = self.reader.get_ref().line;
            self.buffer.clear();
            let line = self.line;
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => return Err(refusal(&error, line, self.reader.get_ref())),
            };
            match event {
                Event::Start(tag) => {
                    self.depth += 1;
                    if self.depth > DEPTH_MAX {
                        return Err(ListError::line(
                            line,
                            format!("has elements nested deeper than {DEPTH_MAX}"),
                        ));
                    }
                    self.is_begun = true;
                    return Ok(Some(Token::Open { name: tag.local_name().as_ref().to_owned(), line }));
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Some(Token::Close));
                }
                Event::Text(text) => return Ok(Some(Token::Text(text.xml10_content().into_owned()))),
                Event::CData(text) => return Ok(Some(Token::Text(text.xml10_content().into_owned()))),
                Event::GeneralRef(reference) => {
                    return resolve(&reference, line).map(|text| Some(Token::Text(text)));
                }
                Event::DocType(_) => return Err(ListError::Doctype { line }),
                Event::Decl(declaration) => {
                    let encoding = declaration.encoding().and_then(Result::ok).unwrap_or_default();
                    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("utf-8") {
                        return Err(ListError::line(
                            line,
                            format!("has the encoding {} and not UTF-8", shown(&encoding)),
                        ));
                    }
                }
                Event::Eof if self.depth > 0 => return Err(self.truncated()),
                Event::Eof if !self.is_begun => return Err(ListError::Empty),
                Event::Eof => return Ok(None),
                Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
            }
        }
    }

    fn truncated(&self) -> ListError {
        ListError::Truncated { line: self.reader.get_ref().line }
    }
}

/// The text of a character reference, or of one of the five entities that XML itself has.
fn resolve(reference: &BytesRef<'_>, line: u64) -> Result<String, ListError> {
    if let Ok(Some(letter)) = reference.resolve_char_ref() {
        return Ok(letter.to_string());
    }
    match resolve_xml_entity(&reference.xml10_content()) {
        Some(text) => Ok(text.to_owned()),
        None => Err(ListError::line(
            line,
            format!("has an entity that is not known: {}", shown(&reference.xml10_content())),
        )),
    }
}

fn refusal(error: &quick_xml::Error, line: u64, meter: &Meter<'_>) -> ListError {
    match error {
        _ if meter.is_exceeded => ListError::too_long(line),
        quick_xml::Error::Io(error) => ListError::Io(std::io::Error::new(error.kind(), error.to_string())),
        // A token that the file's end cuts is not well-formed either.
        quick_xml::Error::Syntax(_) if meter.has_ended => ListError::Truncated { line: meter.line },
        error => ListError::line(line, format!("is no well-formed XML: {}", shown(&error.to_string()))),
    }
}
