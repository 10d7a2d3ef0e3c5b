//! Finds the programs of RabbitMQ.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The environment variable that names a folder with `rabbitmq-server`, `rabbitmqctl` and `epmd` of another
/// RabbitMQ than the installed one. Each must become the program that it is called as, and accept this
/// machine's paths.
pub const PROGRAMS_VARIABLE: &str = "ROVUMA_RABBITMQ";

/// The programs a node needs.
#[derive(Clone, Debug)]
pub struct RabbitPrograms {
    /// `rabbitmq-server` itself, not the distribution's wrapper, which insists on the system's user.
    pub server: PathBuf,
    /// `rabbitmqctl`, from the same folder.
    pub ctl: PathBuf,
    /// Erlang's port mapper.
    pub epmd: PathBuf,
}

/// Debian keeps the plain scripts here; those in `/usr/sbin` are wrappers.
const DEBIAN: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// Finds RabbitMQ and Erlang's port mapper, in the folder that [`PROGRAMS_VARIABLE`] names or where they are
/// installed.
///
/// # Errors
/// When one is missing; the error says how to install it.
pub fn locate() -> Result<RabbitPrograms> {
    match std::env::var_os(PROGRAMS_VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => inside(Path::new(&folder)),
        None => installed(),
    }
}

fn inside(folder: &Path) -> Result<RabbitPrograms> {
    let program = |name: &str| {
        let file = folder.join(name);
        match is_file(&file) {
            true => Ok(file),
            false => bail!("{PROGRAMS_VARIABLE} names {}, which has no {name}", folder.display()),
        }
    };
    Ok(RabbitPrograms {
        server: program("rabbitmq-server")?,
        ctl: program("rabbitmqctl")?,
        epmd: program("epmd")?,
    })
}

fn installed() -> Result<RabbitPrograms> {
    let debian = PathBuf::from(DEBIAN);
    let server = if debian.exists() { Some(debian) } else { in_path("rabbitmq-server") };
    let Some(server) = server else {
        bail!("rabbitmq-server is not installed (Debian: apt-get install rabbitmq-server)");
    };
    let Some(epmd) = in_path("epmd") else {
        bail!("epmd is not in PATH (Debian: apt-get install erlang-base)");
    };
    Ok(RabbitPrograms { ctl: server.with_file_name("rabbitmqctl"), server, epmd })
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| is_file(file))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_lacks_a_program_is_refused_by_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["rabbitmq-server", "epmd"] {
            std::fs::write(folder.path().join(name), "").expect("written");
        }
        let fault = inside(folder.path()).expect_err("no rabbitmqctl").to_string();
        assert!(fault.contains("has no rabbitmqctl"), "{fault}");
        std::fs::write(folder.path().join("rabbitmqctl"), "").expect("written");
        assert_eq!(inside(folder.path()).expect("all").ctl, folder.path().join("rabbitmqctl"));
    }
}
