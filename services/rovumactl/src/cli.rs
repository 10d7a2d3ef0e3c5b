//! The command line: its options, its commands, and which function runs each.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    alerts::AlertCommand,
    app::App,
    auditing::AuditCommand,
    broker::BrokerCommand,
    cases::{CaseCommand, retention::Retention},
    exchange::{alarms, held, quarantine, streams},
    exit::{EXIT_HELP, Exit, Outcome},
    figures::Figures,
    hits::HitCommand,
    keys::KeysCommand,
    login,
    messages::{drafts::DraftCommand, lists, read, send, show, trace},
    permissions::PermissionCommand,
    reference::{agencies, codes},
    requests::RequestCommand,
    screen::Screen,
    store::StoreCommand,
    trust::TrustCommand,
    users::{ClientsCommand, UsersCommand},
    verify::Verify,
    watchlist::WatchlistCommand,
};

/// Operate and audit a Rovuma installation
#[derive(Debug, Parser)]
#[command(name = "rovumactl", version, after_help = EXIT_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Answer in JSON, one object on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Configuration [default: rovumactl.toml in $XDG_CONFIG_HOME/rovuma, then in /etc/rovuma]
    #[arg(long, global = true, value_name = "FILE", env = "ROVUMACTL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Whose log-in to use, where several people use this account: a name of your own choice, given at login too
    #[arg(long = "as", global = true, value_name = "NAME", env = "ROVUMACTL_AS")]
    pub(crate) log_in_name: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keys of agencies, authorities and services
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Trust lists: which keys speak for which agency
    #[command(subcommand)]
    Trust(TrustCommand),
    /// The topology of a country's broker
    #[command(subcommand)]
    Broker(BrokerCommand),
    /// Verify a message or a bundle against pinned trust lists, with no server
    Verify(Verify),
    /// Post a message to the gateway: kept as a draft, or with --release sent at once
    Send(send::Send),
    /// Drafts: new, list, show, edit, change, submit, release, return, discard
    #[command(subcommand)]
    Draft(DraftCommand),
    /// List received messages
    Inbox(lists::Inbox),
    /// List sent messages
    Sent(lists::SentList),
    /// Show a message; opening it tells its sender that it was read
    Show(show::Show),
    /// Record that an officer has seen a message in the agency's own system
    Read(read::MarkRead),
    /// Trace a message, hop by hop
    Trace(trace::Trace),
    /// Cases, what their messages add up to: list, show, timeline, replay, confirm, certify, hold, free
    #[command(subcommand)]
    Case(CaseCommand),
    /// What follows an alert: update, extend, withdraw, reply, flag, report-error, confirm, certify
    #[command(subcommand)]
    Alert(Box<AlertCommand>),
    /// What follows a request: acknowledge, ask, delay, answer, refuse, clarify, remind, cancel, close, group
    #[command(subcommand)]
    Request(Box<RequestCommand>),
    /// What an alert is about was found: notify, ask, confirm, report, retract, close
    #[command(subcommand)]
    Hit(Box<HitCommand>),
    /// Screen a document, plate or number against alerts in force and imported lists
    Screen(Box<Screen>),
    /// The watchlist: import, approve, lists, remove, candidates, decide
    #[command(subcommand)]
    Watchlist(WatchlistCommand),
    /// Leave to use what another agency sent beyond its handling code: ask, decide
    #[command(subcommand)]
    Permission(Box<PermissionCommand>),
    /// Show how many requests there are, how they ended, and how long answers took
    Figures(Figures),
    /// List the cases whose content will be erased, and those that are held
    Retention(Retention),
    /// List the code lists, or the codes of one
    Codes(codes::Codes),
    /// List the agencies that a message can be sent to
    Agencies(agencies::Agencies),
    /// List the agency's alarms, or acknowledge one
    Alarms(alarms::Alarms),
    /// Show the streams from and to other agencies, and what is missing in them
    Streams(streams::Streams),
    /// List messages that wait for a trust list
    Held(held::HeldMessages),
    /// List deliveries that could not be verified or read
    Quarantine(quarantine::Quarantine),
    /// People of the agency who log in
    #[command(subcommand)]
    Users(UsersCommand),
    /// Machine clients of the agency
    #[command(subcommand)]
    Clients(ClientsCommand),
    /// The country's audit log
    #[command(subcommand)]
    Audit(Box<AuditCommand>),
    /// A service's store, on the service's own machine
    #[command(subcommand)]
    Store(StoreCommand),
    /// Log in: in a browser, or as a machine with a secret
    Login(login::Login),
    /// Forget the log-in
    Logout(login::Logout),
    /// Show who is logged in
    Whoami(login::Whoami),
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

impl Command {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Keys(command) => command.run(app).await,
            Self::Broker(command) => command.run(app).await,
            Self::Trust(command) => command.run(app).await,
            Self::Send(command) => command.run(app).await,
            Self::Draft(command) => command.run(app).await,
            Self::Inbox(command) => command.run(app).await,
            Self::Sent(command) => command.run(app).await,
            Self::Show(command) => command.run(app).await,
            Self::Read(command) => command.run(app).await,
            Self::Trace(command) => command.run(app).await,
            Self::Case(command) => command.run(app).await,
            Self::Alert(command) => command.run(app).await,
            Self::Request(command) => command.run(app).await,
            Self::Hit(command) => command.run(app).await,
            Self::Screen(command) => command.run(app).await,
            Self::Watchlist(command) => command.run(app).await,
            Self::Permission(command) => command.run(app).await,
            Self::Figures(command) => command.run(app).await,
            Self::Retention(command) => command.run(app).await,
            Self::Codes(command) => command.run(app).await,
            Self::Agencies(command) => command.run(app).await,
            Self::Alarms(command) => command.run(app).await,
            Self::Streams(command) => command.run(app).await,
            Self::Held(command) => command.run(app).await,
            Self::Quarantine(command) => command.run(app).await,
            Self::Users(command) => command.run(app).await,
            Self::Clients(command) => command.run(app).await,
            Self::Audit(command) => command.run(app).await,
            Self::Store(command) => command.run(app).await,
            Self::Login(command) => command.run(app).await,
            Self::Logout(command) => command.run(app).await,
            Self::Whoami(command) => command.run(app).await,
            Self::Verify(command) => command.run(app),
            // `lib.rs` prints completions itself: they need no configuration.
            Self::Completions { .. } => Ok(Exit::Ok),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }

    /// The commands of a page: its indented lines, continued where they end with a backslash.
    fn commands(page: &str) -> Vec<String> {
        let joined = page.replace("\\\n", " ");
        let lines = joined.lines().filter_map(|line| line.trim().strip_prefix("rovumactl "));
        let lines = lines.map(|line| line.split(" #").next().unwrap_or(line));
        lines.map(|line| line.split("&&").next().unwrap_or(line).trim().to_owned()).collect()
    }

    /// A line whose quoted texts are one word each.
    fn without_quotes(line: &str) -> String {
        let parts = line.split('"').enumerate();
        parts
            .map(|(index, part)| if index % 2 == 1 { part.replace(' ', "_") } else { part.to_owned() })
            .collect()
    }

    /// Who follows a page types what stands there.
    #[test]
    fn the_pages_about_deployment_name_commands_that_there_are() {
        // What stands for a word, or for several.
        const STANDS_FOR: [(&str, &str); 5] = [
            ("$management", "--url https://127.0.0.1 --ca-file ca.pem --user admin --password-file p"),
            ("$agency", "mz.prm"),
            ("$key", "key"),
            ("$(date +%Y)", "2026"),
            ("<id>", "01a228e9-ba40-7af4-a258-b1482d45bef8"),
        ];
        let mut tried = 0;
        for page in ["install", "agency", "country"] {
            let path = format!("{}/../../deploy/{page}.md", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&path).expect("the page");
            for command in commands(&text) {
                let words =
                    STANDS_FOR.iter().fold(command.clone(), |text, (from, to)| text.replace(from, to));
                let words = without_quotes(&words);
                let words = std::iter::once("rovumactl").chain(words.split_whitespace());
                let parsed = <super::Cli as clap::Parser>::try_parse_from(words);
                assert!(
                    parsed.is_ok(),
                    "{page}.md: {command}: {:?}",
                    parsed.err().map(|fault| fault.to_string())
                );
                tried += 1;
            }
        }
        assert!(tried > 20, "{tried} commands were found");
    }
}
