//! The system tests: both countries' services, two real brokers, real keys.

mod alert;
mod audit;
mod audit_log;
mod check_config;
mod crossing;
mod evidence;
mod gap;
mod identity_of_messages;
mod ingress;
mod keys;
mod new_agency;
mod roles;
mod rovumactl;
mod shutdown;
mod story;
mod watchlist;
