//! `rovumactl` as its users run it: the program, real files, a real broker.

mod alerts;
mod auditing;
mod broker;
mod bundle;
mod cases;
mod completions;
mod drafts;
mod evidence;
mod follow;
mod harness;
mod keys;
mod ledger;
mod lists;
mod login;
mod logs;
mod messages;
mod provider;
mod pruned;
mod reading;
mod renewal;
mod servers;
mod store;
mod trust;
mod verify;
mod watch;
