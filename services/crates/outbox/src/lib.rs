//! rovuma-outbox
