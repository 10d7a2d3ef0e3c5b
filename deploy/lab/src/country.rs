//! One country's installation: its broker, its services, its topology.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rovuma_broker::topology::{self, GatewaySpec, LinkSpec, NodeSpec, PartnerSpec, names};
use rovuma_schemas::CountryCode;
use serde_json::Value;

use crate::{
    certs::{TlsIdentity, write_private},
    config::{LabTimings, ServicePorts, Settings, people, watchlist_client},
    ctl::Ctl,
    kept, keys,
    layout::Layout,
    plan::{CountryPlan, GATEWAY},
    ports::PortBlock,
    process::Process,
    rabbit::RabbitNode,
};

/// The services of a country, in the order in which they are started.
pub const SERVICES: [&str; 3] = ["identity", "audit", "gateway"];

/// The watchlist, which a country starts by [`Country::start_watchlist`]: what needs no screening does without it.
pub const WATCHLIST: &str = "watchlist";

/// Position of a second gateway's ports in the country's block. Its health and metrics port follows.
const SECOND_GATEWAY: u16 = 6;

/// Position of the watchlist's ports in the country's block. Its health and metrics port follows.
const WATCHLIST_PORT: u16 = 8;

/// Time limit for a service to become ready.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// The environment of services. By default the C library keeps freed memory apart for each thread; with two
/// arenas, a gateway under full load takes 54 MiB instead of 62, in the same processor time.
const ARENAS: (&str, &str) = ("MALLOC_ARENA_MAX", "2");

/// How often a service is asked whether it is ready.
const POLL: Duration = Duration::from_millis(50);

/// Time that a service has to end by itself. It promises ten seconds.
pub const STOP_GRACE: Duration = Duration::from_secs(12);

/// One country of a lab.
#[derive(Debug)]
pub struct Country {
    plan: CountryPlan,
    layout: Layout,
    programs: PathBuf,
    vhost: String,
    ports: PortBlock,
    services: Vec<(&'static str, Process)>,
    /// What the person at the terminal should know about files that were kept.
    notes: Mutex<Vec<String>>,
}

/// A link's certificate at the partner's broker, and the address of that broker.
#[derive(Clone, Debug)]
pub struct PartnerLink {
    /// The country on the other side.
    pub partner: CountryCode,
    /// The port of its broker on this machine.
    pub port: u16,
    /// Its certificate authority.
    pub ca_file: PathBuf,
    /// The certificate with which the link logs in there.
    pub identity: TlsIdentity,
}

impl Country {
    /// Prepares a country below the folder `lab`: makes its keys and its own trust list if they are missing.
    ///
    /// # Errors
    /// When `rovumactl` fails, or no ports are free.
    pub fn prepare(lab: &Path, plan: CountryPlan, programs: &Path, vhost: &str) -> Result<Self> {
        let layout = Layout::new(lab, plan.country);
        keys::prepare(&Ctl::new(programs), &layout, &plan)?;
        for (_, person) in people(&plan) {
            draw_secret(&layout.secret(&person.login))?;
        }
        for agency in &plan.agencies {
            draw_secret(&layout.secret(&watchlist_client(&agency.code)))?;
        }
        Ok(Self {
            ports: PortBlock::claim(remembered(&layout))?,
            plan,
            layout,
            programs: programs.to_owned(),
            vhost: vhost.to_owned(),
            services: Vec::new(),
            notes: Mutex::default(),
        })
    }

    /// Declares the topology, with the links, in the country's virtual host; as `topology.json` says it, if somebody
    /// changed that file since.
    ///
    /// # Errors
    /// When the node refuses it.
    pub async fn declare(&self, rabbit: &RabbitNode, links: &[PartnerLink]) -> Result<()> {
        let file = self.layout.topology();
        let note = kept::write(&file, &(serde_json::to_string_pretty(&self.spec(links))? + "\n"))?;
        self.note(note);
        let spec: NodeSpec = serde_json::from_slice(&fs::read(&file)?)
            .with_context(|| format!("{} is no topology", file.display()))?;
        let definitions = topology::definitions(&spec)?;
        rabbit.management().import(&in_vhost(definitions, &self.vhost)).await
    }

    /// The topology's specification, as `rovumactl broker apply` reads it.
    pub fn spec(&self, links: &[PartnerLink]) -> NodeSpec {
        let partner = |link: &PartnerLink| PartnerSpec {
            country: link.partner,
            link: LinkSpec {
                host: "localhost".to_owned(),
                port: link.port,
                ca_file: link.ca_file.clone(),
                cert_file: link.identity.cert_file.clone(),
                key_file: link.identity.key_file.clone(),
            },
        };
        NodeSpec {
            country: self.plan.country,
            gateways: vec![GatewaySpec { name: GATEWAY.to_owned(), agencies: self.plan.served() }],
            event_readers: Vec::new(),
            partners: links.iter().map(partner).collect(),
        }
    }

    /// Writes the services' configuration files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn configure(
        &self,
        rabbit: &RabbitNode,
        countries: &[CountryCode],
        timings: &LabTimings,
    ) -> Result<()> {
        let settings = Settings {
            plan: &self.plan,
            layout: &self.layout,
            rabbit,
            vhost: &self.vhost,
            ports: self.service_ports()?,
            countries,
            timings,
        };
        self.note(settings.write()?);
        fs::write(ports_file(&self.layout), self.ports.base().to_string()).context("remembering the ports")
    }

    /// Starts the services, and waits until each reports that it is ready.
    ///
    /// # Errors
    /// When one ends or is not ready in time; the error has the end of its log.
    pub async fn start(&mut self, progress: impl Fn(&str)) -> Result<()> {
        for service in SERVICES {
            progress(&format!("starting {} {service}", self.plan.country));
            self.start_service(service)?;
        }
        for service in SERVICES {
            self.ready(service).await?;
        }
        Ok(())
    }

    /// Starts the watchlist, and waits until it is ready.
    ///
    /// # Errors
    /// When it ends or is not ready in time; the error has the end of its log.
    pub async fn start_watchlist(&mut self) -> Result<()> {
        self.start_service(WATCHLIST)?;
        self.ready(WATCHLIST).await
    }

    /// Starts one service, without waiting until it is ready.
    ///
    /// # Errors
    /// When the program is missing.
    pub fn start_service(&mut self, service: &'static str) -> Result<()> {
        let mut command = self.program(service);
        command.arg("--config").arg(self.layout.config(service));
        let name = format!("{} {service}", self.plan.country);
        let process = Process::start(&name, &command, &self.layout.log(service))?;
        self.services.push((service, process));
        Ok(())
    }

    /// Starts a second gateway beside the first, on the same store and the same queues, without waiting until
    /// it is ready. Returns the address of its API.
    ///
    /// # Errors
    /// When its configuration cannot be written or the program is missing.
    pub fn start_second_gateway(&mut self) -> Result<String> {
        let (first, [first_admin, ..]) = (self.service_ports()?.gateway, self.service_ports()?.admin);
        let (port, admin) = (self.ports.port(SECOND_GATEWAY)?, self.ports.port(SECOND_GATEWAY + 1)?);
        let text = fs::read_to_string(self.layout.config("gateway"))?
            .replace(&format!("127.0.0.1:{first}\""), &format!("127.0.0.1:{port}\""))
            .replace(&format!("127.0.0.1:{first_admin}\""), &format!("127.0.0.1:{admin}\""));
        let config = self.layout.config("gateway2");
        fs::write(&config, text).with_context(|| format!("writing {}", config.display()))?;
        let mut command = self.program("gateway");
        command.arg("--config").arg(config);
        let name = format!("{} gateway2", self.plan.country);
        let process = Process::start(&name, &command, &self.layout.log("gateway2"))?;
        self.services.push(("gateway2", process));
        Ok(format!("http://127.0.0.1:{port}"))
    }

    /// The command that runs a service, with its environment.
    fn program(&self, service: &str) -> Command {
        let mut command = Command::new(self.programs.join(format!("rovuma-{service}")));
        let (name, value) = ARENAS;
        command.env(name, value);
        command
    }

    /// Waits until a service reports that it is ready.
    ///
    /// # Errors
    /// When it ends or is not ready in time; the error has the end of its log.
    pub async fn ready(&mut self, service: &'static str) -> Result<()> {
        let url = format!("http://127.0.0.1:{}/health/ready", self.admin_port(service)?);
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let started = Instant::now();
        let mut said = String::new();
        while started.elapsed() < READY_TIMEOUT {
            if let Some(status) = self.process(service)?.exited() {
                bail!("{service} ended with {status}:\n{}", self.log_tail(service));
            }
            match client.get(&url).send().await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => said = answer.text().await.unwrap_or_default(),
                Err(_) => {}
            }
            tokio::time::sleep(POLL).await;
        }
        bail!(
            "{service} was not ready within {} s: {said}\n{}",
            READY_TIMEOUT.as_secs(),
            self.log_tail(service)
        )
    }

    /// Asks every service to end and waits; kills those that stay.
    pub async fn stop(&mut self) {
        for (_, process) in &self.services {
            process.ask_to_end();
        }
        for (_, process) in &mut self.services {
            process.stop(STOP_GRACE).await;
        }
        self.services.clear();
    }

    /// The services that have ended by themselves, with their exit statuses. They no longer count as started.
    pub fn ended(&mut self) -> Vec<(&'static str, ExitStatus)> {
        let mut ended = Vec::new();
        self.services.retain_mut(|(name, process)| match process.exited() {
            Some(status) => {
                ended.push((*name, status));
                false
            }
            None => true,
        });
        ended
    }

    /// What the person at the terminal should know about files that were kept as somebody changed them.
    pub fn notes(&self) -> Vec<String> {
        // A list of texts is never half-written, so a poisoned lock is still usable.
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, notes: impl IntoIterator<Item = String>) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).extend(notes);
    }

    /// Hands a service's process over to the caller, who may kill it or wait for its end.
    ///
    /// # Errors
    /// When it is not running.
    pub fn take_service(&mut self, service: &str) -> Result<Process> {
        let place = self.services.iter().position(|(name, _)| *name == service);
        let place = place.with_context(|| format!("{service} is not running"))?;
        Ok(self.services.swap_remove(place).1)
    }

    /// The process id of a service, when it is running.
    pub fn pid(&self, service: &str) -> Option<u32> {
        self.services.iter().find(|(name, _)| *name == service).map(|(_, process)| process.pid())
    }

    /// The address of a service's health and metrics: `http://127.0.0.1:<port>`.
    ///
    /// # Errors
    /// None in practice: the port is within the block.
    pub fn admin_url(&self, service: &str) -> Result<String> {
        Ok(format!("http://127.0.0.1:{}", self.admin_port(service)?))
    }

    /// The country and its agencies.
    pub fn plan(&self) -> &CountryPlan {
        &self.plan
    }

    /// Its folder.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The virtual host that it uses.
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// `rovumactl` with this country's configuration.
    pub fn ctl(&self) -> Ctl {
        Ctl::new(&self.programs).with_config(&self.layout.config("rovumactl"))
    }

    /// The address of a service's API: `http://127.0.0.1:<port>`.
    ///
    /// # Errors
    /// None in practice: the port is within the block.
    pub fn url(&self, service: &str) -> Result<String> {
        let ports = self.service_ports()?;
        let port = match service {
            "gateway" => ports.gateway,
            "identity" => ports.identity,
            WATCHLIST => ports.watchlist,
            _ => ports.audit,
        };
        Ok(format!("http://127.0.0.1:{port}"))
    }

    /// Whether something listens on the port of a service's API.
    pub fn listens(&self, service: &str) -> bool {
        let address = self.url(service).unwrap_or_default();
        TcpStream::connect(address.trim_start_matches("http://")).is_ok()
    }

    /// The last lines of a service's log.
    pub fn log_tail(&self, service: &str) -> String {
        let text = fs::read_to_string(self.layout.log(service)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn process(&mut self, service: &str) -> Result<&mut Process> {
        let found = self.services.iter_mut().find(|(name, _)| *name == service);
        found.map(|(_, process)| process).with_context(|| format!("{service} is not running"))
    }

    fn admin_port(&self, service: &str) -> Result<u16> {
        let [gateway, identity, audit, watchlist] = self.service_ports()?.admin;
        Ok(match service {
            "gateway" => gateway,
            "gateway2" => self.ports.port(SECOND_GATEWAY + 1)?,
            "identity" => identity,
            WATCHLIST => watchlist,
            _ => audit,
        })
    }

    fn service_ports(&self) -> Result<ServicePorts> {
        let port = |place| self.ports.port(place);
        Ok(ServicePorts {
            gateway: port(0)?,
            identity: port(1)?,
            audit: port(2)?,
            watchlist: port(WATCHLIST_PORT)?,
            admin: [port(3)?, port(4)?, port(5)?, port(WATCHLIST_PORT + 1)?],
        })
    }
}

/// The link from `from` to `to`: `to` certifies its user at `to`'s broker, and the private key stays in
/// `from`'s folder.
///
/// # Errors
/// When a certificate cannot be written.
pub fn link(
    from: &RabbitNode,
    from_country: CountryCode,
    to: &RabbitNode,
    to_country: CountryCode,
) -> Result<PartnerLink> {
    let user = names::link_user(from_country);
    let folder = from.authority().ca_file().with_file_name("links");
    let pending = crate::certs::PendingTlsIdentity::new(&folder, &format!("{to_country}"))?;
    Ok(PartnerLink {
        partner: to_country,
        port: to.amqps_port()?,
        ca_file: to.authority().ca_file(),
        identity: to.authority().issue_client_to(&user, &pending)?,
    })
}

/// Moves definitions to another virtual host, so that tests can share nodes.
fn in_vhost(definitions: Value, vhost: &str) -> Value {
    match definitions {
        Value::String(text) if text == topology::VHOST => Value::String(vhost.to_owned()),
        Value::String(text) if text.starts_with("amqp") => Value::String(uri_in_vhost(&text, vhost)),
        Value::Array(items) => items.into_iter().map(|item| in_vhost(item, vhost)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, in_vhost(value, vhost))).collect()
        }
        other => other,
    }
}

fn uri_in_vhost(uri: &str, vhost: &str) -> String {
    let (address, query) = uri.split_once('?').map_or((uri, None), |(address, query)| (address, Some(query)));
    let address = match address.strip_suffix(topology::VHOST) {
        Some(host) => format!("{host}{vhost}"),
        None => address.to_owned(),
    };
    query.map_or(address.clone(), |query| format!("{address}?{query}"))
}

/// Writes a random secret, unless there is one.
fn draw_secret(file: &Path) -> Result<()> {
    if file.exists() {
        return Ok(());
    }
    write_private(file, &format!("{}\n", uuid::Uuid::new_v4().simple()))
}

fn ports_file(layout: &Layout) -> PathBuf {
    layout.data("ports")
}

fn remembered(layout: &Layout) -> Option<u16> {
    fs::read_to_string(ports_file(layout)).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A country whose identity service is a program that only waits.
    fn country(folder: &Path) -> Country {
        let layout = Layout::new(folder, "mz".parse().expect("a country"));
        for path in layout.folders() {
            fs::create_dir_all(path).expect("made");
        }
        let program = folder.join("rovuma-identity");
        fs::write(&program, "#!/bin/sh\necho the last words\nexec sleep 1000\n").expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("mode set");
        Country {
            plan: CountryPlan::mozambique(),
            layout,
            programs: folder.to_owned(),
            vhost: topology::VHOST.to_owned(),
            ports: PortBlock::claim(None).expect("ports"),
            services: Vec::new(),
            notes: Mutex::default(),
        }
    }

    #[test]
    fn a_killed_service_is_noticed_once_and_can_be_started_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut country = country(folder.path());
        country.start_service("identity").expect("started");
        while !country.log_tail("identity").contains("the last words") {
            std::thread::yield_now();
        }
        assert!(country.ended().is_empty(), "it runs");
        let first = country.pid("identity").expect("runs");
        let killed = Command::new("kill").args(["-9", &first.to_string()]).status().expect("runs");
        assert!(killed.success());
        let ended = loop {
            let ended = country.ended();
            if !ended.is_empty() {
                break ended;
            }
            std::thread::yield_now();
        };
        assert!(ended.iter().all(|(name, status)| *name == "identity" && !status.success()), "{ended:?}");
        assert!(country.log_tail("identity").contains("the last words"));
        assert!(country.ended().is_empty(), "noticed once");
        country.start_service("identity").expect("started again");
        assert_ne!(country.pid("identity"), Some(first));
    }
}
