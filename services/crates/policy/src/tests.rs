//! The built-in policies, asked every question.

mod loading;
mod permits;
mod questions;
mod removal;
mod table;
