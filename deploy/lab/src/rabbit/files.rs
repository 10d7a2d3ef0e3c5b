//! Writes the files and sets the environment of a node.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use uuid::Uuid;

use super::{AMQPS, MANAGEMENT, RabbitOptions};
use crate::{
    certs::{Authority, TlsIdentity, write_private},
    ports::PortBlock,
};

/// The administrator of the management API. It cannot connect by AMQP, which needs a certificate.
pub(super) const ADMIN: &str = "admin";

/// The only plugins that are enabled.
const PLUGINS: &str =
    "[rabbitmq_management,rabbitmq_shovel,rabbitmq_shovel_management,rabbitmq_auth_mechanism_ssl].\n";

/// Maximum bytes of a message: a sealed bundle is at most 1 MiB unpacked, and twice that is ample.
const MAX_MESSAGE_BYTES: u32 = 2 << 20;

/// Options of Erlang: bind the distribution to loopback, and do not start the port mapper.
pub(super) const LOOPBACK_ONLY: &str = "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}";

pub(super) fn password_file(folder: &Path) -> PathBuf {
    folder.join("admin.password")
}

pub(super) fn log_file(folder: &Path) -> PathBuf {
    folder.join("log").join("rabbit.log")
}

/// The block of ports that the node had the last time.
pub(super) fn remembered_ports(folder: &Path) -> Option<u16> {
    fs::read_to_string(folder.join("ports")).ok()?.trim().parse().ok()
}

/// Writes all files of a node and returns the administrator's password, which is drawn the first time.
///
/// # Errors
/// When one cannot be written.
pub(super) fn write(
    folder: &Path,
    options: &RabbitOptions,
    ports: &PortBlock,
    authority: &Authority,
    identity: &TlsIdentity,
) -> Result<String> {
    for sub in ["log", "mnesia", "home"] {
        let path = folder.join(sub);
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
    }
    let password = secret(&password_file(folder))?;
    // Erlang reads its cookie from its user's home folder.
    secret(&folder.join("home").join(".erlang.cookie"))?;
    write_private(&folder.join("rabbitmq.conf"), &conf(options, ports, authority, identity, &password)?)?;
    write_private(&folder.join("enabled_plugins"), PLUGINS)?;
    write_private(&folder.join("empty.conf"), "")?;
    write_private(&folder.join("ports"), &format!("{}\n", ports.base()))?;
    Ok(password)
}

/// The secret in a file that only its owner can read, drawn if there is none.
fn secret(path: &Path) -> Result<String> {
    if let Ok(secret) = fs::read_to_string(path) {
        return Ok(secret);
    }
    let secret = format!("{}{}", Uuid::new_v4().as_simple(), Uuid::new_v4().as_simple());
    write_private(path, &secret)?;
    Ok(secret)
}

fn conf(
    options: &RabbitOptions,
    ports: &PortBlock,
    authority: &Authority,
    identity: &TlsIdentity,
    password: &str,
) -> Result<String> {
    let ca_file = authority.ca_file();
    let (ca, cert, key) = (ca_file.display(), identity.cert_file.display(), identity.key_file.display());
    let (amqps, management) = (ports.port(AMQPS)?, ports.port(MANAGEMENT)?);
    let (memory, disk) = (options.memory_limit_bytes, options.disk_free_limit_bytes);
    Ok(format!(
        "\
listeners.tcp = none
listeners.ssl.1 = 127.0.0.1:{amqps}
ssl_options.cacertfile = {ca}
ssl_options.certfile = {cert}
ssl_options.keyfile = {key}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
ssl_cert_login_from = common_name
auth_mechanisms.1 = EXTERNAL
management.ssl.ip = 127.0.0.1
management.ssl.port = {management}
management.ssl.cacertfile = {ca}
management.ssl.certfile = {cert}
management.ssl.keyfile = {key}
default_user = {ADMIN}
default_pass = {password}
default_user_tags.administrator = true
default_vhost = rovuma
vm_memory_high_watermark.absolute = {memory}
disk_free_limit.absolute = {disk}
max_message_size = {MAX_MESSAGE_BYTES}
log.file = rabbit.log
log.file.level = info
log.file.rotation.size = 10485760
log.file.rotation.count = 3
log.console = false
"
    ))
}

/// The environment of the server process.
pub(super) fn environment(
    folder: &Path,
    options: &RabbitOptions,
    distribution_port: u16,
    epmd_port: u16,
) -> BTreeMap<&'static str, String> {
    let path = |name: &str| folder.join(name).display().to_string();
    BTreeMap::from([
        ("HOME", path("home")),
        ("RABBITMQ_NODENAME", format!("rovuma_{}@localhost", options.name)),
        ("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf")),
        ("RABBITMQ_CONF_ENV_FILE", path("empty.conf")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", path("enabled_plugins")),
        ("RABBITMQ_MNESIA_BASE", path("mnesia")),
        ("RABBITMQ_LOG_BASE", path("log")),
        ("RABBITMQ_PID_FILE", path("pid")),
        ("RABBITMQ_DIST_PORT", distribution_port.to_string()),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", LOOPBACK_ONLY.to_owned()),
        ("ERL_EPMD_PORT", epmd_port.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        // With this, the script becomes the server instead of waiting for it, so that the process that we stop
        // is the server.
        ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
    ])
}

/// The last lines of a log, for an error message.
pub(super) fn last_lines(path: &Path, count: usize) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
