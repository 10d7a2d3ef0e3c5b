//! Foreign tools agree with us: a JOSE library, age and zstd, an OpenID Connect client, a validator and a
//! prover of OpenAPI documents, a reference implementation of transparency logs. Each reads what running services and brokers produce,
//! and writes what they accept.

mod audit_log;
mod bundles;
mod desk;
mod documents;
mod login;
mod registry;
mod requests_by_role;
mod signatures;
