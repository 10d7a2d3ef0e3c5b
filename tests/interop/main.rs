//! Strangers' tools agree with us: a JOSE library, age and zstd, an OpenID Connect client, a validator of
//! OpenAPI documents. Each reads what running services and brokers hand out, and writes what they take.

mod bundles;
mod desk;
mod documents;
mod login;
mod signatures;
