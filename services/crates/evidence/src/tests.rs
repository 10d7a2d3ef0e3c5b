//! A bundle that holds, and every way in which one must not.

mod case;
mod entries;
mod files;
mod receipts;
mod report;
