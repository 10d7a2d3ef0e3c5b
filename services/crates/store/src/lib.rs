//! rovuma-store
