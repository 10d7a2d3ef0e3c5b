//! rovuma-runtime
