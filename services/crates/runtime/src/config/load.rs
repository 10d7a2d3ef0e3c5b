//! Reads the configuration of a service and of the runtime.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use config::{Config, Environment, File, FileFormat, Value};
use serde::{Deserialize, de::DeserializeOwned};

use super::near_miss;

/// The prefix of environment variables that are configuration, before `__`: `ROVUMA__HTTP__LISTEN`.
pub const ENV_PREFIX: &str = "ROVUMA";

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not TOML, or lacks a section or key at its top.
    #[error("{what}")]
    Malformed {
        /// The parser's error, with line and column, or the missing key.
        what: String,
    },
    /// A key is unknown, missing, or has an invalid value.
    #[error("configuration key {key}: {what}")]
    Key {
        /// The key's path, `http.listen`.
        key: String,
        /// What is wrong, with a suggestion when there is a similar key.
        what: String,
    },
}

/// The sections that belong to the runtime.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuntimeConfig {
    /// `[admin]`: metrics and health.
    pub admin: AdminConfig,
    /// `[log]`: form and filter of the log.
    pub log: LogConfig,
    /// `[telemetry]`: OpenTelemetry, off unless an endpoint is given.
    pub telemetry: TelemetryConfig,
}

/// `[admin]`: the listener of `/metrics`, `/health/live` and `/health/ready`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    /// Address and port; without it there is no such listener. It serves plain HTTP and shows no secrets, yet belongs on a
    /// loopback address or a network of operators.
    pub listen: Option<SocketAddr>,
}

/// `[log]`: logs go to standard error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// The form of the lines; by default text when standard error is a terminal, and JSON otherwise.
    pub format: Option<LogFormat>,
    /// The filter: `info`, or `info,rovuma_outbox=debug`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: None, filter: "info".to_owned() }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Human,
}

/// `[telemetry]`: the collector of spans.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// OTLP over HTTP, protobuf: `https://collector:4318/v1/traces`. Without it no spans are sent.
    pub otlp_endpoint: Option<String>,
    /// The authorities that the collector's certificate may come from, PEM. Needed for `https`.
    pub ca_file: Option<PathBuf>,
    /// The share of traces kept, 0 to 1.
    pub sample_ratio: f64,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { otlp_endpoint: None, ca_file: None, sample_ratio: 1.0 }
    }
}

/// The sections that [`RuntimeConfig`] takes; a service never sees them.
const RUNTIME_SECTIONS: [&str; 3] = ["admin", "log", "telemetry"];

/// Reads `file` (none: only defaults and environment) and the process's environment.
///
/// # Errors
/// [`ConfigError`] with the path of the key at fault.
pub fn load<C: DeserializeOwned>(file: Option<&Path>) -> Result<(C, RuntimeConfig), ConfigError> {
    load_with_env(file, std::env::vars().collect())
}

/// Like [`load`], with this environment.
///
/// # Errors
/// [`ConfigError`] with the path of the key at fault.
pub fn load_with_env<C: DeserializeOwned>(
    file: Option<&Path>,
    env: HashMap<String, String>,
) -> Result<(C, RuntimeConfig), ConfigError> {
    let mut builder = Config::builder();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
    }
    let named = |error: config::ConfigError| ConfigError::Malformed {
        what: match file {
            Some(path) => format!("{}: {error}", path.display()),
            None => error.to_string(),
        },
    };
    let source =
        Environment::with_prefix(ENV_PREFIX).prefix_separator("__").separator("__").try_parsing(true);
    let merged = builder.add_source(source.source(Some(env))).build().map_err(named)?;
    let mut own: HashMap<String, Value> = merged.cache.into_table().map_err(named)?;
    let runtime = RUNTIME_SECTIONS
        .iter()
        .filter_map(|section| Some(((*section).to_owned(), own.remove(*section)?)))
        .collect();
    Ok((read(own)?, read(runtime)?))
}

/// Reads one TOML text as it is, without an environment: for files that are not a service's configuration.
///
/// # Errors
/// [`ConfigError`] with the path of the key at fault.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    let malformed = |error: config::ConfigError| ConfigError::Malformed { what: error.to_string() };
    let read_in = Config::builder().add_source(File::from_str(text, FileFormat::Toml)).build();
    read(read_in.and_then(|merged| merged.cache.into_table()).map_err(malformed)?)
}

fn read<T: DeserializeOwned>(table: HashMap<String, Value>) -> Result<T, ConfigError> {
    let value = Value::new(None, table);
    serde_path_to_error::deserialize(value).map_err(|error| {
        let key = error.path().to_string();
        let what = match error.into_inner() {
            config::ConfigError::At { error, .. } => error.to_string(),
            other => other.to_string(),
        };
        // The path of the whole file: the text names the key.
        if key == "." {
            return ConfigError::Malformed { what: near_miss::explain(&key, &what) };
        }
        ConfigError::Key { what: near_miss::explain(&key, &what), key }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        http: Http,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Http {
        listen: SocketAddr,
        #[serde(default)]
        name: String,
        #[serde(default)]
        limit: Option<u32>,
    }

    fn try_load(toml: &str, env: &[(&str, &str)]) -> Result<(Sample, RuntimeConfig), ConfigError> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("sample.toml");
        std::fs::write(&path, toml).expect("written");
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        load_with_env(Some(&path), env)
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let (sample, runtime) = try_load(
            "[http]\nlisten = \"127.0.0.1:1\"\n[log]\nformat = \"json\"\n",
            &[
                ("ROVUMA__HTTP__LISTEN", "127.0.0.1:2"),
                ("ROVUMA__HTTP__NAME", "42"),
                ("ROVUMA__HTTP__LIMIT", "7"),
                ("ROVUMA__ADMIN__LISTEN", "127.0.0.1:3"),
                ("PATH", "/bin"),
            ],
        )
        .expect("loads");
        assert_eq!(sample.http.listen.port(), 2);
        assert_eq!((sample.http.name.as_str(), sample.http.limit), ("42", Some(7)));
        assert_eq!(runtime.log.format, Some(LogFormat::Json));
        assert_eq!(runtime.admin.listen.map(|address| address.port()), Some(3));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_path_and_what_was_meant() {
        let error = try_load("[http]\nlisten = \"127.0.0.1:1\"\nlimt = 3\n", &[]).expect_err("refused");
        let text = error.to_string();
        assert!(text.contains("http.limt") && text.contains("did you mean `limit`"), "{text}");
    }

    #[test]
    fn unknown_sections_and_variables_are_refused() {
        let listen = "[http]\nlisten = \"127.0.0.1:1\"\n";
        for (toml, env, key) in [
            (format!("{listen}[htpp]\n"), vec![], "htpp"),
            (format!("{listen}[log]\nlevel = \"info\"\n"), vec![], "log.level"),
            (listen.to_owned(), vec![("ROVUMA__HTTP__PORT", "1")], "http.port"),
        ] {
            let text = try_load(&toml, &env).expect_err("refused").to_string();
            assert!(text.contains(key), "{text}");
        }
    }

    #[test]
    fn a_missing_key_and_a_misfit_value_name_the_key() {
        let text = try_load("[http]\nname = \"x\"\n", &[]).expect_err("refused").to_string();
        assert!(text.contains("http") && text.contains("listen"), "{text}");
        let text = try_load("[http]\nlisten = \"here\"\n", &[]).expect_err("refused").to_string();
        assert!(text.contains("http.listen"), "{text}");
    }

    #[test]
    fn a_missing_file_and_broken_toml_name_the_file() {
        let missing = load_with_env::<Sample>(Some(Path::new("/nowhere/x.toml")), HashMap::new());
        assert!(missing.expect_err("refused").to_string().contains("/nowhere/x.toml"));
        assert!(try_load("[http\n", &[]).expect_err("refused").to_string().contains("sample.toml"));
    }
}
