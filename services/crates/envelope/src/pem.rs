//! Strict PEM (RFC 7468): one block, one label, nothing else.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

const LINE: usize = 64;

/// Writes `der` as PEM with `label`.
pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(STANDARD.encode(der));
    // Reserve room for the whole text: a string that grows leaves copies of the secret in memory.
    let mut text = Zeroizing::new(String::with_capacity(base64.len() * 2 + 2 * label.len() + 64));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// Reads the only block in `text`, if its label is `label`.
pub(crate) fn decode(label: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let body = text.trim().strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----"))?;
    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    base64.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    STANDARD.decode(base64.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let der: Vec<u8> = (0..=200).collect();
        let text = encode("PRIVATE KEY", &der);
        assert!(text.lines().all(|line| line.len() <= LINE));
        assert_eq!(decode("PRIVATE KEY", &text).expect("reads back").as_slice(), der);
    }

    #[test]
    fn another_label_two_blocks_or_noise_are_refused() {
        let text = encode("PRIVATE KEY", b"secret");
        assert!(decode("PUBLIC KEY", &text).is_none());
        assert!(decode("PRIVATE KEY", &format!("{}{}", *text, *text)).is_none());
        assert!(decode("PRIVATE KEY", &format!("noise\n{}", *text)).is_none());
        assert!(decode("PRIVATE KEY", &text.replace("c2Vj", "c2V!")).is_none());
        assert!(decode("PRIVATE KEY", "").is_none());
    }
}
