//! What is accepted and, mostly, what is not.

mod algorithms;
mod assertions;
mod claims;
mod fetched;
mod forged;
mod keys;
mod support;
