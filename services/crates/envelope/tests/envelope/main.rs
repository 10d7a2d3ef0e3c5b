//! The envelope as its users see it. On these paths what must be refused outnumbers what is taken.

mod bundles;
mod drafts;
mod flipped_bits;
mod key_rules;
mod list_shape;
mod messages;
mod public_faces;
mod sealing;
mod signatures;
mod successions;
mod trust_lists;
mod world;
mod zip_bombs;
