//! Changes JSON as JSON: libFuzzer's own byte changes seldom leave a document that parses.

use serde_json::{Map, Value, json};

/// Finds the position in an input at which its JSON begins.
pub type JsonStart = fn(&[u8]) -> Option<usize>;

/// The whole input is JSON.
pub const WHOLE: JsonStart = |_| Some(0);

/// One byte chooses the form of the rest.
pub const AFTER_FIRST_BYTE: JsonStart = |data| (!data.is_empty()).then_some(1);

/// The body of a request.
pub const AFTER_EMPTY_LINE: JsonStart = |data| Some(data.windows(2).position(|pair| pair == b"\n\n")? + 2);

/// Maximum number of places that are changed at once.
const CHANGES_MAX: u64 = 3;

/// Changes the JSON in the first `size` bytes of `data`; every other time, and when there is no JSON, changes the
/// bytes with `bytes`, which is libFuzzer's. Returns the new size.
pub fn json_or_bytes(
    start: JsonStart,
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    bytes: impl FnOnce(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut random = SplitMix(u64::from(seed));
    let changed = if random.below(2) == 0 { None } else { changed(start, &data[..size], &mut random) };
    match changed {
        Some(changed) if changed.len() <= max_size.min(data.len()) => {
            data[..changed.len()].copy_from_slice(&changed);
            changed.len()
        }
        _ => bytes(data, size, max_size),
    }
}

fn changed(start: JsonStart, data: &[u8], random: &mut SplitMix) -> Option<Vec<u8>> {
    let at = start(data)?;
    let mut document: Value = serde_json::from_slice(data.get(at..)?).ok()?;
    for _ in 0..=random.below(CHANGES_MAX) {
        change(&mut document, random);
    }
    let mut out = data[..at].to_vec();
    serde_json::to_writer(&mut out, &document).ok()?;
    Some(out)
}

fn change(document: &mut Value, random: &mut SplitMix) {
    let mut places = Vec::new();
    list(document, String::new(), &mut places);
    let place = random.pick(&places).clone();
    let source: &String = random.pick(&places);
    let other = document.pointer(source).cloned().unwrap_or_default();
    let Some(value) = document.pointer_mut(&place) else { return };
    match random.below(6) {
        0 => *value = interesting(random),
        1 => *value = other,
        2 => remove(value, random),
        3 => add(value, other, random),
        _ => alter(value, random),
    }
}

/// Lists every place in a document, as RFC 6901 pointers.
fn list(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            list(member, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), places);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| list(item, format!("{at}/{index}"), places));
        }
        _ => {}
    }
    places.push(at);
}

fn remove(value: &mut Value, random: &mut SplitMix) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let names: Vec<String> = members.keys().cloned().collect();
            members.remove(random.pick(&names));
        }
        Value::Array(items) if !items.is_empty() => {
            items.remove(random.index(items.len()));
        }
        other => *other = Value::Null,
    }
}

fn add(value: &mut Value, other: Value, random: &mut SplitMix) {
    match value {
        Value::Object(members) => {
            let names: Vec<String> = members.keys().cloned().collect();
            let known = if names.is_empty() { String::new() } else { random.pick(&names).clone() };
            members.insert(if random.below(2) == 0 { known } else { "x".to_owned() }, other);
        }
        Value::Array(items) => {
            let copies = 1 << random.below(8);
            let item = items.first().filter(|_| random.below(2) == 0).cloned().unwrap_or(other);
            items.extend(std::iter::repeat_n(item, copies));
        }
        scalar => {
            *scalar = if random.below(2) == 0 { json!([scalar.clone()]) } else { wrapped(scalar.clone()) }
        }
    }
}

fn wrapped(value: Value) -> Value {
    Value::Object(Map::from_iter([("x".to_owned(), value)]))
}

fn alter(value: &mut Value, random: &mut SplitMix) {
    match value {
        Value::Bool(bit) => *bit = !*bit,
        Value::Number(number) => {
            let moved =
                number.as_i64().unwrap_or_default().wrapping_add([1, -1, 10, i64::MAX][random.index(4)]);
            *value = json!(moved);
        }
        Value::String(text) => *text = altered(text, random),
        _ => {}
    }
}

fn altered(text: &str, random: &mut SplitMix) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = random.index(letters.len() + 1);
    let letter = *random.pick(&[
        '0',
        '9',
        'A',
        'a',
        'Z',
        '<',
        '-',
        '.',
        ' ',
        '\u{0}',
        '\u{e9}',
        '\u{1f6a2}',
        '"',
        '~',
        '/',
    ]);
    match random.below(4) {
        0 => letters.insert(at, letter),
        1 if at < letters.len() => letters[at] = letter,
        2 => letters.truncate(at),
        _ if text.len() < 4096 => letters.extend(text.chars().collect::<Vec<_>>()),
        _ => letters.clear(),
    }
    letters.into_iter().collect()
}

fn interesting(random: &mut SplitMix) -> Value {
    let texts = [
        "",
        " ",
        "x",
        "mz.prm",
        "tz.tpf",
        "mz.node",
        "xx.none",
        "MOZ",
        "2026-11-23",
        "2026-02-30",
        "9999-12-31",
        "2026-11-23T18:00:00Z",
        "9999-12-30T22:00:00.999999Z",
        "-009999-01-02T01:59:59Z",
        "1970-01-01T00:00:00Z",
        "2026-11-23T18:00:00+23:59",
        "0199c5a1-7b3e-7003-8a10-000000000003",
        "1.0",
        "1.65535",
        "2.0",
        "actual",
    ];
    match random.below(12) {
        0 => Value::Null,
        1 => json!({}),
        2 => json!([]),
        3 => json!(true),
        4 => json!(0),
        5 => json!(-1),
        6 => json!(u64::MAX),
        7 => json!(i64::MIN),
        8 => json!(1e300),
        9 => json!("x".repeat(1 << random.below(12))),
        _ => json!(random.pick(&texts)),
    }
}

/// SplitMix64: gives the same changes for the same seed.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }
}
