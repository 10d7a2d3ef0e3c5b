//! What only one of the processes that share a store does at a time.

use std::fmt;

use crate::{Conn, Store, postgres::Server};

/// A duty, held. It ends with the process that holds it, or with [`Duty::lost`]; then another may take it.
pub struct Duty(Holding);

enum Holding {
    /// Nobody else can have the store open.
    Forever,
    /// By a connection to the server, which ends the duty with it.
    Connection(Box<Conn>),
}

impl Store {
    /// Waits until the duty with this number is this process's. Numbers are the caller's own, and small.
    ///
    /// In a store that no other process can have open it is so at once. It may happen that for a moment two
    /// processes hold one duty, when the connection of the first is lost and it has not noticed: what is
    /// done on a duty must bear to be done twice.
    pub async fn take_duty(&self, number: u8) -> Duty {
        Duty(match self.shared_server() {
            None => Holding::Forever,
            Some(server) => Holding::Connection(Box::new(server.take_duty(i32::from(number)).await)),
        })
    }
}

impl Duty {
    /// Returns once the duty may be another's.
    pub async fn lost(&mut self) {
        match &mut self.0 {
            Holding::Forever => std::future::pending().await,
            Holding::Connection(conn) => Server::until_lost(conn).await,
        }
    }
}

impl fmt::Debug for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Duty").finish_non_exhaustive()
    }
}
