//! The policies as they come with the program, asked everything.

mod loading;
mod permits;
mod questions;
mod removal;
mod table;
