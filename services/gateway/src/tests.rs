//! The gateway without its broker: a real store, the real API on loopback, real tokens, real signatures.

mod support;

mod alarms;
mod alert_life;
mod cases;
mod configuration;
mod crossing;
mod drafts;
mod duplicates;
mod edge;
mod events;
mod failing_closed;
mod handling;
mod hostile;
mod idempotency;
mod lanes;
mod lost_store;
mod one_id;
mod openapi;
mod paging;
mod plans;
mod quarantine;
mod reading;
mod receipts;
mod reissue;
mod release;
mod requests;
mod restored;
mod retention;
mod roles;
mod routes;
mod second_person;
mod strangers;
mod streams;
mod trust_lists;
mod witness;
