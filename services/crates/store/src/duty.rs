//! Duties: work that only one of the processes sharing a store does at a time.

use std::fmt;

use crate::{Conn, Store, postgres::Server};

/// A duty that this process has. It ends with the process, or when [`Duty::lost`] returns; then another process may take
/// it.
pub struct Duty(Holding);

enum Holding {
    /// No other process can have the store open.
    Forever,
    /// The server ends the duty when it ends this connection.
    Connection(Box<Conn>),
}

impl Store {
    /// Waits until this process has the duty with this number. The caller chooses its numbers, from 0 up.
    ///
    /// In a store that no other process can have open, this returns at once. When the connection of a first process is
    /// lost and it has not noticed yet, a second one may have the duty too for a moment: work on a duty must be such
    /// that doing it twice does no harm.
    pub async fn take_duty(&self, number: u8) -> Duty {
        Duty(match self.shared_server() {
            None => Holding::Forever,
            Some(server) => Holding::Connection(Box::new(server.take_duty(i32::from(number)).await)),
        })
    }
}

impl Duty {
    /// Returns once another process may have the duty.
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
