//! The envelope through its public interface. On these paths tests of refusals outnumber tests of
//! acceptance.

mod bundles;
mod drafts;
mod fixture;
mod flipped_bits;
mod key_rules;
mod list_shape;
mod messages;
mod public_faces;
mod sealing;
mod signatures;
mod successions;
mod trust_lists;
mod zip_bombs;
