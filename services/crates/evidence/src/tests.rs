//! A bundle that holds, and the changes to one that must be found.

mod case;
mod entries;
mod files;
mod forgeries;
mod receipts;
mod report;
