//! rovuma-policy
