//! The common main of a process: options, configuration, telemetry, signals, health, role.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Arg, ArgAction, Command, value_parser};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use crate::{
    Context, Service, Shutdown, SystemClock, admin,
    config::{self, LogFormat, RuntimeConfig},
    metrics_export,
    telemetry::Telemetry,
};

struct Options {
    config: Option<PathBuf>,
    check_config: bool,
    log: Option<LogFormat>,
}

/// Runs the role `S` until a signal or a failure. A service's `main.rs` does nothing else.
///
/// Ends with 0 after a clean shutdown, and with 1 after a failure, a second signal, or when tasks had to be dropped because
/// ten seconds had passed.
pub fn main<S: Service>() -> ExitCode {
    let options = options::<S>();
    match run::<S>(options) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}: {}", S::NAME, with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn options<S: Service>() -> Options {
    let matches = Command::new(S::NAME)
        .about(S::ABOUT)
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(
            "Every key of the file can be set by an environment variable: ROVUMA__SECTION__KEY.\n\
             Exit status: 0 ended after a signal, 1 failed or had to be stopped hard, 2 wrong options.",
        )
        .args([
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .env("ROVUMA_CONFIG")
                .value_parser(value_parser!(PathBuf))
                .help("configuration file, TOML"),
            Arg::new("check-config").long("check-config").action(ArgAction::SetTrue).help(
                "read the configuration and every file that it names, report the first fault, and exit",
            ),
            Arg::new("log")
                .long("log")
                .value_parser(value_parser!(LogFormat))
                .help("form of the log on standard error"),
        ])
        .get_matches();
    Options {
        config: matches.get_one("config").cloned(),
        check_config: matches.get_flag("check-config"),
        log: matches.get_one("log").copied(),
    }
}

fn run<S: Service>(options: Options) -> anyhow::Result<ExitCode> {
    // The one TLS provider of every client and server in this process. An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let loaded = config::load::<S::Config>(options.config.as_deref());
    let (config, mut runtime) = match (loaded, &options.config) {
        (Ok(loaded), _) => loaded,
        (Err(fault), Some(_)) => return Err(fault.into()),
        (Err(fault), None) => {
            return Err(fault)
                .context("no configuration file was given: give --config FILE, or ROVUMA_CONFIG");
        }
    };
    if options.check_config {
        Telemetry::check(&runtime.log, &runtime.telemetry)?;
        S::check(&config)?;
        for warning in S::warnings(&config) {
            eprintln!("{}: warning: {warning}", S::NAME);
        }
        println!("the configuration is sound");
        return Ok(ExitCode::SUCCESS);
    }
    runtime.log.format = options.log.or(runtime.log.format);
    let telemetry = Telemetry::start(S::NAME, &runtime.log, &runtime.telemetry)?;
    S::check(&config).context("cannot start")?;
    let executor = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(blocking_threads())
        .enable_all()
        .build()?;
    let outcome = executor.block_on(serve::<S>(config, &runtime));
    executor.shutdown_background();
    telemetry.end();
    outcome
}

/// The number of threads for long computations and file access: as many as can run at once, and at least 4. Each thread
/// keeps the memory that it has ever allocated, and tokio would start up to 512 of them.
fn blocking_threads() -> usize {
    const AT_LEAST: usize = 4;
    std::thread::available_parallelism().map_or(AT_LEAST, |cores| cores.get().max(AT_LEAST))
}

async fn serve<S: Service>(config: S::Config, runtime: &RuntimeConfig) -> anyhow::Result<ExitCode> {
    let context = Context::new(SystemClock::shared());
    let metrics = metrics_export::install()?;
    let signals = Signals::listen()?;
    // Not a task of the shutdown: it must outlive every other task, and ends with the process.
    let listening = tokio::spawn(signals.handle(context.shutdown.clone()));
    context.shutdown.spawn("metrics", metrics_export::keep_up(metrics.clone(), context.shutdown.clone()));
    let starting = context.health.register("start");
    if let Some(listen) = runtime.admin.listen {
        admin::serve(&context, listen, metrics)?;
    }
    context.shutdown.spawn("expiries", context.expiries.clone().watch(context.shutdown.clone()));
    let started = tokio::select! {
        started = S::start(config, &context) => started,
        () = context.shutdown.soft() => Ok(()),
    };
    if let Err(error) = &started {
        context.shutdown.fail(&format_args!("cannot start: {}", with_causes(error.as_ref())));
    } else {
        starting.ready();
        info!("{} {} is running", S::NAME, env!("CARGO_PKG_VERSION"));
    }
    let drained = context.shutdown.drained().await;
    listening.abort();
    started.context("cannot start")?;
    let clean = drained && !context.shutdown.has_failed();
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An error with its causes, but for those that it has said already: `what: cause: its cause`.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Begins a soft shutdown at the first signal, and a hard one at the second.
    async fn handle(mut self, shutdown: Shutdown) {
        self.next().await;
        info!("signal: finishing the work in hand");
        shutdown.begin();
        self.next().await;
        warn!("second signal: ending at once");
        shutdown.end();
    }
}
