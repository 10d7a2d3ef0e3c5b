//! The identity service, route by route, on a real store and a real listener.

mod api;
mod authorize;
mod clients;
mod code;
mod discovery;
mod first_password;
mod guessing;
mod keys;
mod login;
mod machines;
mod openapi;
mod process;
mod refresh;
mod starting;
mod support;
mod userinfo;
mod users;
