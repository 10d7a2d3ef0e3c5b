//! The scenarios: each lets messages flow, breaks something, repairs it, and counts.

mod away;
mod brokers;
mod cases;
mod disk;
mod kill;
mod lines;
mod queues;
mod restore;
mod shared;
mod term;
mod watchlist;

use futures::future::BoxFuture;

use crate::{chance::Chance, reconcile::FaultReport, stage::TestBed};

type ScenarioRun = for<'g> fn(&'g mut TestBed, Chance, u32) -> BoxFuture<'g, anyhow::Result<FaultReport>>;

/// A scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: ScenarioRun,
}

/// All scenarios, in the order in which they run.
pub(crate) const SCENARIOS: [Scenario; 13] = [
    Scenario {
        name: "kill",
        about: "services killed with SIGKILL at random moments",
        run: |ground, chance, messages| Box::pin(kill::run(ground, chance, messages)),
    },
    Scenario {
        name: "term",
        about: "SIGTERM to each service under load: it exits within 10 s",
        run: |ground, chance, messages| Box::pin(term::run(ground, chance, messages)),
    },
    Scenario {
        name: "broker",
        about: "a broker node killed and restarted",
        run: |ground, chance, messages| Box::pin(brokers::run(ground, chance, messages)),
    },
    Scenario {
        name: "cut",
        about: "the link cut while messages wait in both directions",
        run: |ground, chance, messages| Box::pin(lines::cut(ground, chance, messages)),
    },
    Scenario {
        name: "slow",
        about: "a line of 64 kbit/s with messages waiting: an urgent alert arrives within 10 s",
        run: |ground, chance, messages| Box::pin(lines::slow(ground, chance, messages)),
    },
    Scenario {
        name: "queues",
        about: "queues deleted on both sides with messages and audit events in them",
        run: |ground, chance, messages| Box::pin(queues::run(ground, chance, messages)),
    },
    Scenario {
        name: "restore",
        about: "a gateway's store restored from an older copy",
        run: |ground, chance, messages| Box::pin(restore::run(ground, chance, messages)),
    },
    Scenario {
        name: "shared",
        about: "two gateways on one PostgreSQL database, each killed in turn, the server too",
        run: |ground, chance, messages| Box::pin(shared::run(ground, chance, messages)),
    },
    Scenario {
        name: "audit",
        about: "the audit service away",
        run: |ground, chance, messages| Box::pin(away::audit(ground, chance, messages)),
    },
    Scenario {
        name: "identity",
        about: "the identity provider away: tokens that were given out go on working",
        run: |ground, chance, messages| Box::pin(away::identity(ground, chance, messages)),
    },
    Scenario {
        name: "disk",
        about: "the broker's disk and then the store's disk full: refused clearly, nothing lost",
        run: |ground, chance, messages| Box::pin(disk::run(ground, chance, messages)),
    },
    Scenario {
        name: "cases",
        about: "alerts and requests written in by both sides while lines, gateways, brokers, a store and a key fail: the same case everywhere",
        run: |ground, chance, messages| Box::pin(cases::run(ground, chance, messages)),
    },
    Scenario {
        name: "watchlist",
        about: "vehicles scanned while the watchlist, gateway and broker are killed, a list is replaced, alerts are withdrawn: each owner told once",
        run: |ground, chance, messages| Box::pin(watchlist::run(ground, chance, messages)),
    },
];

/// The scenario with this name.
pub(crate) fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
