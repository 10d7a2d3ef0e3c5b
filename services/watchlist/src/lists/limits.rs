//! How long anything of a list may be, each limit with its reason.

/// How many bytes of a file one record may have. The longest of the UN list has about 15 KB; the limit bounds what
/// a hostile file makes this service hold in memory.
pub const RECORD_MAX_BYTES: usize = 256 * 1024;

/// How many bytes of OFAC's `alt.csv` are kept in memory, with 64 bytes more counted for each line. The
/// file has 0.9 MB and 20,000 lines, so it may grow to five times that.
pub const ALIASES_MAX_BYTES: usize = 12 * 1024 * 1024;

/// About what a kept alias needs in memory beside its letters.
pub(crate) const ALIAS_OVERHEAD_BYTES: usize = 64;

/// How many [`Skipped`](super::Skipped) an outcome shows. A person reads some of them; the count says how many there are.
pub const SKIPPED_SHOWN_MAX: usize = 1000;

/// How deep elements may be nested. The UN list has five levels.
pub(crate) const DEPTH_MAX: usize = 16;

/// How many elements one record may have. The largest of the UN list has about 200. An element needs about a hundred
/// bytes of memory for the four of `<a/>`.
pub(crate) const ELEMENTS_MAX: usize = 10_000;

/// How many letters a list's own id of a record may have. UN and OFAC use numbers of up to eight digits.
pub(crate) const ID_MAX_CHARS: usize = 64;

/// How many letters a name may have. The longest of both lists is an organisation's of about 200.
pub(crate) const NAME_MAX_CHARS: usize = 400;

/// How many names one record may have. The most that both lists give one person is about a hundred.
pub(crate) const NAMES_MAX: usize = 1000;

/// How many letters and digits a document number may have. The longest that lists print are Mexican electoral keys of
/// 18 and Chinese numbers of 18; this leaves room for two joined ones, which then are not matched anyway.
pub(crate) const NUMBER_MAX_CHARS: usize = 40;

/// How few letters and digits a document number may have. A key of one or two digits would be anybody's.
pub(crate) const NUMBER_MIN_CHARS: usize = 3;

/// How many letters of free text (a note, a document as printed) are kept.
pub(crate) const TEXT_MAX_CHARS: usize = 2000;

/// How many letters of a value that was not understood a message shows: enough to find it in the file.
pub(crate) const SHOWN_MAX_CHARS: usize = 120;

/// How many remarks a record carries. A person reads them at the counter.
pub(crate) const REMARKS_MAX: usize = 50;

/// At how many characters OFAC cuts remarks; the rest is in another file.
pub(crate) const OFAC_REMARKS_CUT_CHARS: usize = 1000;

/// The first and the last year of birth that is believed. No living person was born before, and no list will be
/// imported after; what is outside is a slip of the pen (`0196`, `9999`).
pub(crate) const BIRTH_YEARS: std::ops::RangeInclusive<i16> = 1850..=2100;

/// How short and how long a VIN or frame number may be: frame numbers of motorcycles have 8 to 17 characters.
pub(crate) const VIN_CHARS: std::ops::RangeInclusive<usize> = 8..=17;

/// How many letters and digits a plate may have. The longest grammars have ten; this leaves room for foreign ones.
pub(crate) const PLATE_MAX_CHARS: usize = 16;
