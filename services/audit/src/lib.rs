//! rovuma-audit
