//! Checked target: the addresses that may be dialed for a destination, for one attempt.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::Destination;

/// The addresses that may be dialed for one attempt, judged all of them.
///
/// It cannot be copied, and only [`DestinationPolicy::judge`](crate::DestinationPolicy::judge) makes one.
#[derive(Debug, Eq, PartialEq)]
pub struct CheckedTarget {
    destination: Destination,
    addresses: Vec<CheckedAddress>,
    generation: u64,
}

impl CheckedTarget {
    pub(super) fn new(destination: &Destination, addresses: &[IpAddr], generation: u64) -> Self {
        let checked = |address: &IpAddr| CheckedAddress(SocketAddr::new(*address, destination.port()));
        Self { destination: destination.clone(), addresses: addresses.iter().map(checked).collect(), generation }
    }

    /// What they are the addresses of.
    pub const fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The addresses, at least one and at most sixteen, in the resolver's order.
    pub fn addresses(&self) -> &[CheckedAddress] {
        &self.addresses
    }

    /// The generation of the policy that judged.
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

/// An address that may be dialed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CheckedAddress(SocketAddr);

impl CheckedAddress {
    /// The address and port to dial.
    pub const fn socket_addr(&self) -> SocketAddr {
        self.0
    }
}
