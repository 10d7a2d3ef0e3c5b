//! The paths of the endpoints, which routes and provider metadata share.

pub(super) const JWKS: &str = "/oauth2/jwks.json";
pub(super) const AUTHORIZE: &str = "/oauth2/authorize";
pub(super) const TOKEN: &str = "/oauth2/token";
pub(super) const USERINFO: &str = "/oauth2/userinfo";
pub(super) const REVOKE: &str = "/oauth2/revoke";
