//! The options of the program.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use rovuma_schemas::Date;

use crate::{bare::IN_FLIGHT, sender::Posting};

/// Measures how fast the product is on this machine.
#[derive(Debug, Parser)]
#[command(name = "tests/load/run")]
pub(crate) struct Options {
    /// What to measure.
    #[command(subcommand)]
    pub(crate) programme: Programme,
}

/// The programmes.
#[derive(Debug, Subcommand)]
pub(crate) enum Programme {
    /// Alerts between two countries, against the bare brokers.
    Exchange(ExchangeOptions),
    /// The audit log: events through its broker into cosigned heads, proofs and questions over a large log.
    Audit(AuditOptions),
    /// An evidence bundle of many messages, made and verified.
    Bundle(BundleOptions),
    /// Lists and look-ups of a gateway with years of messages in its store.
    Lists(ListsOptions),
    /// The watchlist: what it finds in a large list, what it must not, and how fast.
    Screen(ScreenOptions),
}

/// The help text about what is measured and what the figures mean.
const MEANING: &str = "\
One installation of each of two countries is started on this machine, each with a RabbitMQ of its own, joined by
AMQPS links with client certificates. Then, in one run:

  bare relay   one persistent AMQP message for each recipient copy, as large as the product's sealed bundle of one
               example alert, published with confirms (64 in flight) to a quorum queue, moved by a shovel with the
               settings of the product's links to a quorum queue of the other node, and consumed there with
               acknowledgements. No receipts.
  product      the example alert, each with other words and numbers, posted over HTTP with an access token for two
               agencies of the other country (POST /v1/messages; --two-calls: as a draft that is released), until the sender's gateway has verified the signed
               receipts: counted are the events receipt.delivered of GET /v1/events/live.
  latency      alerts posted at a fixed rate whatever the answers (open loop): from the accepted release to the last
               of the alert's receipts, verified at the sender.
  line         a counting proxy between the nodes: bytes of TCP payload, both ways, per recipient copy of the example
               alert alone in its bundle, and per entry of a receipt with 64 entries.

Bare relay and product take turns; medians count. The last line of standard output is JSON:

  raw_per_s               messages through the bare relay per second, first publish to last consumed
  full_per_s              recipient copies with a verified receipt per second, first post to last receipt
  ratio                   full_per_s / raw_per_s (copies against copies)
  p50_ms p95_ms p99_ms    of the latency above
  cpu_us_per_message      user and system time of both countries' services per recipient copy in the product's
                          rounds, until all are at rest again; the brokers apart, in broker_cpu_us_per_message
  rss_mib                 each service's largest resident memory (VmHWM)
  line_bytes_per_message  median over alerts, TLS included, and the broker's acknowledgement
  line_bytes_per_receipt  median, divided by the 64 entries
  mean_bundle             messages per bundle that the sender's relay sent in the product's rounds
  clean                   false when other programs took more than a tenth of a core: then the figures do not count

It ends with a status other than 0 when a message is lost or comes twice. Progress is told on standard error.";

/// The programme `exchange`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = MEANING)]
pub(crate) struct ExchangeOptions {
    /// Alerts of each round of the product; each has two recipient copies.
    #[arg(long, default_value_t = 4000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) messages: u32,
    /// Messages of each round of the bare relay.
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) bare_messages: u32,
    /// Alternating rounds of the bare relay and the product.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: u32,
    /// Connections that post alerts at the same time: as many as the bare relay has messages in flight.
    #[arg(long, default_value_t = IN_FLIGHT, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) connections: u32,
    /// Alerts per second while latency is measured.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,
    /// Seconds for which latency is measured.
    #[arg(long, default_value_t = 30)]
    pub(crate) seconds: u32,
    /// Post each alert as a draft and then release it, instead of by POST /v1/messages.
    #[arg(long)]
    pub(crate) two_calls: bool,
    /// Alerts, each alone in its bundle, over which the bytes on the line are averaged.
    #[arg(long, default_value_t = 20)]
    pub(crate) line_messages: u32,
}

impl ExchangeOptions {
    /// How alerts are posted.
    pub(crate) fn posting(&self) -> Posting {
        if self.two_calls { Posting::TwoCalls } else { Posting::OneCall }
    }
}

/// The help text about the figures of the programme `audit`.
const AUDIT_MEANING: &str = "\
Both countries are started on this machine as for `exchange`. A source of Mozambique's audit log signs and seals batches as
a service's trail does; they go through its broker to its audit service, which checks, appends and acknowledges them, and
whose heads the other country's audit service cosigns meanwhile. The last line of standard output is JSON:

  appends_per_s     events a second, first publish of a round to the last signed acknowledgement: median of the rounds.
                    Batches of 256 are signed and sealed before the round begins
  ack_p99_ms        at 500 events a second in deliveries of 10 (open loop): published to acknowledged
  cosigned_p95_ms   of the same: published to the published head that both countries have cosigned
  proof_p95_ms      one event's inclusion proof over HTTP, through the log
  who_read_p95_ms   who read one message: GET /v1/events?action=message.read&object=…, over the whole log
  verify_s          `rovumactl audit verify` of the whole log's folder
  bytes_per_event   the store on disk, with index, payload and hashes, per event; public_bytes_per_event: the tiles
  leaves            how large the log was for the three above";

/// The programme `audit`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = AUDIT_MEANING)]
pub(crate) struct AuditOptions {
    /// Events in the log before it is queried.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) events: u32,
    /// Events of each round.
    #[arg(long, default_value_t = 20_480, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) round: u32,
    /// Seconds for which latency is measured.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) seconds: u32,
}

/// The help text about the figures of the programme `lists`.
const LISTS_MEANING: &str = "\
Both countries are started on this machine as for `exchange`, and exchange a case for each role below. Then Mozambique's
gateway is stopped, its store on SQLite is filled with copies of these (each message with an id and a signature of its own,
each alert with another content, reference and short reference) and of a draft, and the gateway is started again. One officer
asks, one question after another; each answer is compared with what was filled in. The cases:

  half of them ours, with two recipients: issued, reported on, changed in answer, changed again. One in 50 of ours was
  released in an emergency and waits for a confirmation and an answer; half of the cases are the partner's: issued, changed,
  flagged by us, changed again. All are in force. Beside them 60 cases of 30 messages, and 60 of one

The last line of standard output is JSON:

  sent_p95_ms       GET /v1/sent, pages 1 to 10
  inbox_p95_ms      GET /v1/inbox, likewise
  unread_p95_ms     GET /v1/inbox?unread=true: one message in 500 is unread
  drafts_p95_ms     GET /v1/drafts: one draft in 50 is in work
  message_p95_ms    GET /v1/messages/{id}, from everywhere in the store, sent and received in turn
  not_found_p95_ms  the same of messages and drafts that do not exist
  cases_p95_ms      GET /v1/cases, pages 1 to 10; and likewise
  cases_state_p95_ms, cases_ball_p95_ms, cases_partner_p95_ms, cases_category_p95_ms, cases_due_p95_ms
                    with ?state=active (all), ?ball=ours (one in 100), ?partner=tz.tisd (half), ?category=vehicle (nearly
                    all), ?due= within a day (one in 100)
  cases_reference_p95_ms, cases_short_reference_p95_ms
                    with the beginning of a reference that up to 100 cases share, and a short reference, each time another
  case_p95_ms case_timeline_p95_ms
                    GET /v1/cases/{kind}/{owner}/{id} of a case of 30 messages, and its time line
  refold_30_ms      how much longer POST /v1/messages takes into a case of 30 messages than into one of one message: the
                    difference of the medians follow_30_ms and follow_1_ms, of 50 each. On its way the message asks the case
                    twice whether it may follow, and is then folded into it: the case is read and folded three times
  cases_checked     cases whose row, as it was filled in, is what the gateway folds from their messages
  fill_s start_s    how long filling took, and the start of the gateway on the full store
  store_mib         the store's file; rss_mib: the gateway's largest resident memory

Each figure that ends in p95_ms is to be at most 20 ms, refold_30_ms at most 1. It ends with a status other than 0 when an
answer is wrong.";

/// The programme `lists`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = LISTS_MEANING)]
pub(crate) struct ListsOptions {
    /// Messages in the store, half of them sent, four to a case.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(400..))]
    pub(crate) messages: u32,
    /// Drafts in the store.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) drafts: u32,
}

/// The help text about the figures of the programme `bundle`.
const BUNDLE_MEANING: &str = "\
Both countries are started on this machine as for `exchange`. Alerts are posted for two agencies of the other country until the
sender's gateway has verified all receipts, and a head that both countries cosigned covers every entry about them. Then an
auditor of the sending agency runs `rovumactl audit bundle` over that time, with a reason, and, with all services stopped,
`rovumactl audit verify` with both countries' authorities. The last line of standard output is JSON:

  bundle_s          from the start of the first command to its end: entries with proofs, messages and receipts fetched,
                    checked, packed and written
  verify_s          the same of the second command
  messages receipts entries   what is in the bundle
  file_mib          the bundle's file; bundle_rss_mib, verify_rss_mib: the commands' largest resident memory
  exchange_s        how long exchanging took
  other_load        processors that were busy with neither the services, nor the brokers, nor this program, while the bundle
                    was made: `rovumactl` itself, and whatever else ran

bundle_s is to be at most 30 s for 3,000 messages. It ends with a status other than 0 when a message or a receipt is not in the
bundle, or the bundle does not hold. Progress is told on standard error.";

/// The programme `bundle`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = BUNDLE_MEANING)]
pub(crate) struct BundleOptions {
    /// Messages in the bundle, each with two receipts.
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub(crate) messages: u32,
}

/// The help text about the figures of the programme `screen`.
const SCREEN_MEANING: &str = "\
First, in one process: a list of invented persons, documents and vehicles is drawn from a seed, kept in a store as the
watchlist's service keeps it, and asked about. For each number of a sample there are queries that must find it (zones of every
format, both conventions of long numbers, typed in every manner, within a series) and queries near it (misread, mistyped, another
state, type, make, a camera, a suffix) of which nothing may be told to anybody. What is right follows from how a query was made, and
from all numbers of the list: one may have another's number by chance.

Then over HTTP: both countries are started as for `exchange`, Mozambique's watchlist with the same list as an imported one beside the
alerts. Tanzania sends alerts on vehicles and documents, and Mozambique's border officers scan, 1 in 50 of which is a hit of a
live alert. The last line of standard output is JSON:

  exact_missed      entries that must be hits and were not: wanted 0
  wrong_forwards    entries that would have been told to their owners and must not: wanted 0
  wrong_hits        entries that were called hits and are not the same: wanted 0. wrong_finds: entries that are not even alike
  forwards_missed   certain matches that would not have been told to their owners: wanted 0
  review_found      share of misread numbers whose entry a person was asked to compare
  exact_p99_us      a query that must find something: looked up, entries read, judged: at most 1,000
  load_s            a new process opens the store and builds the index; hold_rss_mib is its resident memory then (VmRSS)
  scan_p99_ms       POST /v1/screen, from the moment at which it was due to its whole answer: at most 50
  active_p99_s      from the moment at which an alert is posted in Tanzania to the first scan in Mozambique that is a hit (one every
                    50 ms): at most 5. It includes the way between the countries
  forward_p99_ms    from the moment at which a scan that is a hit is sent to the event that the notice is stored at the alert's
                    owner: at most 2,000
  rss_mib           the largest resident memory (VmHWM) of the watchlist's process, with the list and the alerts: at most 64.
                    With --in-process, hold_rss_mib

It ends with a status other than 0 when a figure is missed, or a notice is lost or comes twice.

With --list, --queries and --truth the first part is done with these files, and nothing else. The list has the columns of an
imported CSV (`services/watchlist/src/lists/plain.rs`); queries have id, text and kind (mrz, td1, td2, td3, passport, document,
plate, vin, frame, chassis, engine, nida, bi, imei, name; another word or none: it is not known); the truth has query and listed: the
list's id, or nothing. The last line then has queries, exact_missed, wrong_hits, wrong_forwards, review (queries whose answer is for a
person), names_not_screened, exact_p99_us and load_s. An entry is missed when its number is the query's, whose check digit fits, and
no hit names it; what the truth names beside is counted in alike_missed when nobody is asked to compare it.";

/// The programme `screen`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = SCREEN_MEANING)]
pub(crate) struct ScreenOptions {
    /// The seed of everything that is drawn; a random one, which is printed, when absent.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// The present day of the first part, YYYY-MM-DD: today when absent.
    #[arg(long)]
    pub(crate) today: Option<Date>,
    /// Persons, each with one or two documents.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) persons: u32,
    /// Numbers of documents, vehicles and telephones, beside those of persons.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) documents: u32,
    /// Numbers that are asked about.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) sample: u32,
    /// A short trial: 500 persons, 5,000 documents, 600 of them asked about, 15 seconds of scans.
    #[arg(long, conflicts_with_all = ["persons", "documents", "sample", "seconds"])]
    pub(crate) small: bool,
    /// Do the first part only.
    #[arg(long)]
    pub(crate) in_process: bool,
    /// Seconds for which officers scan.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(5..=480))]
    pub(crate) seconds: u32,
    /// Scans per second.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) scans_per_s: u32,
    /// Alerts per second.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) alerts_per_s: u32,
    /// Connections that scan.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) connections: u32,
    /// A list of your own, CSV.
    #[arg(long, requires_all = ["queries", "truth"])]
    pub(crate) list: Option<PathBuf>,
    /// Queries about it, CSV.
    #[arg(long, requires = "list")]
    pub(crate) queries: Option<PathBuf>,
    /// What must be found, CSV.
    #[arg(long, requires = "list")]
    pub(crate) truth: Option<PathBuf>,
    /// Print the last line alone.
    #[arg(long)]
    pub(crate) json: bool,
    /// Open this store, say how long that took and how much memory it needs, and end.
    #[arg(long, hide = true)]
    pub(crate) hold: Option<PathBuf>,
}
