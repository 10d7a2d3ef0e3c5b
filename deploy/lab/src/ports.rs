//! Loopback ports that nobody else takes.
//!
//! They are below the range that the kernel gives to outgoing connections. Otherwise a client that keeps
//! connecting to the port of a server that restarts could be given that very port, and connect to itself.

use std::{
    net::{Ipv4Addr, TcpListener},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
};

use anyhow::{Context, Result, bail};

/// Blocks begin here, and end below the kernel's own range, which begins at 32768.
const FIRST: u16 = 20_000;
const LAST: u16 = 31_000;

/// Number of ports in a block.
pub const BLOCK: u16 = 32;

/// A block of ports that this process holds until it is dropped.
#[derive(Debug)]
pub struct PortBlock {
    base: u16,
    /// A name in Linux' abstract socket namespace. The kernel frees it when the process ends in any way.
    _claim: UnixListener,
}

impl PortBlock {
    /// Claims the block that begins at `preferred` if that is free, else the first free one.
    ///
    /// # Errors
    /// When no block is free.
    pub fn claim(preferred: Option<u16>) -> Result<Self> {
        let all = (FIRST..LAST).step_by(usize::from(BLOCK));
        let found = preferred.into_iter().chain(all).find_map(Self::try_claim);
        found.context("no free block of ports on 127.0.0.1 between 20000 and 31000")
    }

    fn try_claim(base: u16) -> Option<Self> {
        let name = SocketAddr::from_abstract_name(format!("rovuma-lab-ports-{base}")).ok()?;
        let claim = UnixListener::bind_addr(&name).ok()?;
        let free = (base..base + BLOCK).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
        free.then_some(Self { base, _claim: claim })
    }

    /// The first port of the block, with which it can be claimed again.
    pub fn base(&self) -> u16 {
        self.base
    }

    /// The port at position `place` in the block.
    ///
    /// # Errors
    /// When the block is not that large.
    pub fn port(&self, place: u16) -> Result<u16> {
        if place >= BLOCK {
            bail!("port {place} asked of a block of {BLOCK}");
        }
        Ok(self.base + place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_held_by_one_until_it_is_dropped() {
        let first = PortBlock::claim(None).expect("a block");
        let base = first.base();
        let second = PortBlock::claim(Some(base)).expect("another block");
        assert_ne!(second.base(), base);
        drop(first);
        assert_eq!(PortBlock::claim(Some(base)).expect("the first again").base(), base);
    }

    #[test]
    fn a_block_with_a_taken_port_is_passed_over() {
        let block = PortBlock::claim(None).expect("a block");
        let base = block.base();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, base + 7)).expect("a port of it");
        drop(block);
        assert_ne!(PortBlock::claim(Some(base)).expect("another block").base(), base);
        drop(taken);
    }
}
