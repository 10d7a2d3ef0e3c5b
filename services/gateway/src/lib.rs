//! rovuma-gateway
