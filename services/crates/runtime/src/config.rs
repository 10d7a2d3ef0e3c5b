//! Configuration: defaults → TOML file → environment (`ROVUMA__SECTION__KEY`); secrets from files.
//!
//! An unknown key is refused with its path, and with the key that was probably meant.

mod load;
mod near_miss;
mod secret;

pub use load::AdminConfig;
pub use load::{
    ConfigError, ENV_PREFIX, LogConfig, LogFormat, RuntimeConfig, TelemetryConfig, from_toml, load,
    load_with_env,
};
pub use secret::{Secret, SecretError, SecretFile};
