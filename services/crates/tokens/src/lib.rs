//! rovuma-tokens
