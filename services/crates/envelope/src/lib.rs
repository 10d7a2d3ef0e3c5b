//! rovuma-envelope
