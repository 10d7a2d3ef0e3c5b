//! rovuma-identity
