//! x
pub mod screening;
