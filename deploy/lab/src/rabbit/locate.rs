//! Where RabbitMQ is installed.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The programs a node needs.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `rabbitmq-server` itself, not the distribution's wrapper, which insists on the system's user.
    pub server: PathBuf,
    /// `rabbitmqctl`, beside it.
    pub ctl: PathBuf,
    /// Erlang's port mapper.
    pub epmd: PathBuf,
}

/// Debian keeps the plain scripts here; what is in `/usr/sbin` is a wrapper.
const DEBIAN: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// Finds RabbitMQ and Erlang's port mapper.
///
/// # Errors
/// When one is missing; the message says how to install it.
pub fn locate() -> Result<Programs> {
    let debian = PathBuf::from(DEBIAN);
    let server = if debian.exists() { Some(debian) } else { in_path("rabbitmq-server") };
    let Some(server) = server else {
        bail!("rabbitmq-server is not installed (Debian: apt-get install rabbitmq-server)");
    };
    let Some(epmd) = in_path("epmd") else {
        bail!("epmd is not in PATH (Debian: apt-get install erlang-base)");
    };
    Ok(Programs { ctl: server.with_file_name("rabbitmqctl"), server, epmd })
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| is_file(file))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}
