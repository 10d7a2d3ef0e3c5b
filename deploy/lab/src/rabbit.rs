//! A private RabbitMQ node with its own data, loopback ports, cookie and port mapper. The machine's own
//! RabbitMQ is not touched.
//!
//! It accepts AMQP only over TLS with a client certificate of its country's authority (SASL EXTERNAL), and the
//! management API only over TLS. The port mapper (`epmd`) is a child of this process too: one that Erlang
//! starts by itself outlives its node.

mod files;
mod locate;
mod management;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    certs::{Authority, TlsIdentity},
    ports::PortBlock,
    process::Process,
};

pub use locate::{PROGRAMS_VARIABLE, RabbitPrograms, locate};
pub use management::RabbitManagement;

/// Time limit to start: a cold node on two busy cores takes half a minute.
const START_TIMEOUT: Duration = Duration::from_secs(180);

/// Time that a node has to stop before it is killed.
const STOP_GRACE: Duration = Duration::from_secs(30);

/// How often readiness is checked.
const POLL: Duration = Duration::from_millis(100);

/// Positions of a node's ports in its block. The rest of the block is free for others.
const AMQPS: u16 = 0;
const MANAGEMENT: u16 = 1;
const DISTRIBUTION: u16 = 2;
const EPMD: u16 = 3;

/// The first position of a block that a node leaves to others.
pub const FIRST_FREE_PLACE: u16 = 8;

/// The settings that differ from node to node.
#[derive(Clone, Debug)]
pub struct RabbitOptions {
    /// A short name of letters and digits: `mz`.
    pub name: String,
    /// Memory use above which the node stops publishers.
    pub memory_limit_bytes: u64,
    /// Free disk space below which the node stops publishers.
    pub disk_free_limit_bytes: u64,
}

impl RabbitOptions {
    /// The limits of a small node.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), memory_limit_bytes: 1 << 30, disk_free_limit_bytes: 256 << 20 }
    }
}

/// A running node. Dropping it kills it; [`RabbitNode::stop`] lets it finish.
#[derive(Debug)]
pub struct RabbitNode {
    options: RabbitOptions,
    folder: PathBuf,
    programs: RabbitPrograms,
    ports: PortBlock,
    authority: Authority,
    management: RabbitManagement,
    server: Option<Process>,
    epmd: Option<Process>,
}

impl RabbitNode {
    /// Starts a node whose state is in `folder`, and waits until it accepts connections. `progress` gets a text
    /// about each step.
    ///
    /// # Errors
    /// When RabbitMQ is not installed or the node does not start; the error has the last lines of its log.
    pub async fn start(folder: &Path, options: RabbitOptions, progress: impl Fn(&str)) -> Result<Self> {
        let folder = std::path::absolute(folder)?;
        let programs = locate()?;
        let authority = Authority::open(&folder.join("tls"), &format!("Rovuma lab CA {}", options.name))?;
        let ports = PortBlock::claim(files::remembered_ports(&folder))?;
        let server_identity = authority.issue_server("broker")?;
        let password = files::write(&folder, &options, &ports, &authority, &server_identity)?;
        let management =
            RabbitManagement::new(ports.port(MANAGEMENT)?, files::ADMIN, &password, &authority.ca_file())?;
        let mut node =
            Self { options, folder, programs, ports, authority, management, server: None, epmd: None };
        node.run(&progress).await?;
        Ok(node)
    }

    /// Starts a stopped or killed node again, with the same data and ports.
    ///
    /// # Errors
    /// As [`RabbitNode::start`].
    pub async fn restart(&mut self, progress: impl Fn(&str)) -> Result<()> {
        self.stop().await;
        self.run(&progress).await
    }

    /// Its exit status, if it has ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.server.as_mut().and_then(Process::exited)
    }

    /// Lets the node finish, then stops its port mapper.
    pub async fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.stop(STOP_GRACE).await;
        }
        self.epmd = None;
    }

    /// Kills the node at once (SIGKILL), as a power cut would.
    pub fn kill(&mut self) {
        self.server = None;
        self.epmd = None;
    }

    /// Where services connect: `amqps://localhost:<port>/<vhost>`.
    ///
    /// # Errors
    /// None in practice: the port is within the node's block.
    pub fn url(&self, vhost: &str) -> Result<String> {
        Ok(format!("amqps://localhost:{}/{vhost}", self.amqps_port()?))
    }

    /// The port for AMQP over TLS.
    ///
    /// # Errors
    /// None in practice: the port is within the node's block.
    pub fn amqps_port(&self) -> Result<u16> {
        self.ports.port(AMQPS)
    }

    /// The node's ports; those from [`FIRST_FREE_PLACE`] on are for other services of the country.
    pub fn ports(&self) -> &PortBlock {
        &self.ports
    }

    /// The authority whose client certificates this node accepts.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The management API, for the administrator.
    pub fn management(&self) -> &RabbitManagement {
        &self.management
    }

    /// The administrator's name and the file with the password.
    pub fn admin(&self) -> (&'static str, PathBuf) {
        (files::ADMIN, files::password_file(&self.folder))
    }

    /// The node's own log.
    pub fn log_file(&self) -> PathBuf {
        files::log_file(&self.folder)
    }

    /// The ids of the processes that belong to this node.
    pub fn pids(&self) -> Vec<u32> {
        self.server.iter().chain(&self.epmd).map(Process::pid).collect()
    }

    async fn run(&mut self, progress: &impl Fn(&str)) -> Result<()> {
        progress(&format!("starting RabbitMQ {}", self.options.name));
        self.epmd = Some(self.start_epmd()?);
        self.server = Some(self.start_server()?);
        let started = Instant::now();
        while !self.is_ready().await? {
            if started.elapsed() > START_TIMEOUT {
                bail!("RabbitMQ {} is not ready after {} s", self.options.name, START_TIMEOUT.as_secs());
            }
            progress(&format!(
                "waiting for RabbitMQ {} ({} s)",
                self.options.name,
                started.elapsed().as_secs()
            ));
            tokio::time::sleep(POLL).await;
        }
        progress(&format!("RabbitMQ {} is ready", self.options.name));
        Ok(())
    }

    /// Whether the node accepts connections.
    ///
    /// # Errors
    /// When it has ended; the error has the last lines of its log.
    async fn is_ready(&mut self) -> Result<bool> {
        if let Some(status) = self.server.as_mut().and_then(Process::exited) {
            let log = files::last_lines(&self.log_file(), 15);
            let output = files::last_lines(&self.folder.join("server.out"), 15);
            bail!("RabbitMQ {} ended while starting ({status})\n{output}\n{log}", self.options.name);
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.amqps_port()?));
        Ok(TcpStream::connect(address).is_ok() && self.management.is_ready().await)
    }

    fn start_epmd(&self) -> Result<Process> {
        let mut command = Command::new(&self.programs.epmd);
        command.args(["-address", "127.0.0.1", "-port"]).arg(self.ports.port(EPMD)?.to_string());
        Process::start("epmd", &command, &self.folder.join("epmd.out"))
    }

    fn start_server(&self) -> Result<Process> {
        let command = self.with_environment(&self.programs.server)?;
        Process::start(&self.options.name, &command, &self.folder.join("server.out"))
    }

    /// A program of RabbitMQ, with this node's environment and nothing else.
    fn with_environment(&self, program: &Path) -> Result<Command> {
        let mut command = Command::new(program);
        // Where the database writes what it found wrong before it ended.
        command.current_dir(&self.folder);
        for (name, _) in std::env::vars_os() {
            let inherited = name.to_string_lossy();
            if inherited.starts_with("RABBITMQ_") || inherited.starts_with("ERL_") {
                command.env_remove(&name);
            }
        }
        command.envs(files::environment(
            &self.folder,
            &self.options,
            self.ports.port(DISTRIBUTION)?,
            self.ports.port(EPMD)?,
        ));
        Ok(command)
    }

    /// Changes the free disk space that the running node needs to accept messages.
    ///
    /// # Errors
    /// When `rabbitmqctl` does not reach the node.
    pub async fn limit_free_disk(&self, bytes: u64) -> Result<()> {
        self.ctl(&["set_disk_free_limit", &bytes.to_string()]).await.map(drop)
    }

    /// Runs `rabbitmqctl` on this node and returns its output.
    ///
    /// # Errors
    /// When it fails; the error has its output.
    pub async fn ctl(&self, arguments: &[&str]) -> Result<String> {
        let mut command = tokio::process::Command::from(self.with_environment(&self.programs.ctl)?);
        // The distribution port of `rabbitmqctl` must stay on loopback too.
        command.env("RABBITMQ_CTL_ERL_ARGS", files::LOOPBACK_ONLY);
        let output = command.args(arguments).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("rabbitmqctl {arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(said)
    }

    /// A client certificate for `user` of this node.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn issue_client(&self, user: &str) -> Result<TlsIdentity> {
        self.authority.issue_client(user).with_context(|| format!("a certificate for {user}"))
    }
}
