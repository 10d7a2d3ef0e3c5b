//! rovuma-broker
