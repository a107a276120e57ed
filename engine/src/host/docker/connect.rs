//! Connecting to an engine, by a tunnel where it is on another machine.

use super::Docker;
use crate::host::HostError;
use crate::host::address::Address;
use crate::host::facts::{self, Machine};
use crate::host::ssh::{SshTarget, Tunnel};

impl Docker {
    /// Connects and probes the facts; `name` is what reports call the host.
    ///
    /// # Errors
    /// Where nothing answers there, or not as an engine does.
    pub async fn connect(name: &str, address: Address) -> Result<Self, HostError> {
        // bollard's own limit would end `wait`: podman sends the headers of that answer at the container's end.
        const NEVER: u64 = 365 * 24 * 3600;
        let (address, tunnel) = forwarded(address).await?;
        let client = match &address {
            Address::Unix(path) | Address::Ssh { local: Some(path), .. } => {
                bollard::Docker::connect_with_unix(&path.to_string_lossy(), NEVER, bollard::API_DEFAULT_VERSION)
            }
            Address::Ssh { target, local: None } => {
                return Err(HostError::local(format!("connect to {target}"), "it is not forwarded"));
            }
            Address::Tcp(authority) => {
                bollard::Docker::connect_with_http(&format!("tcp://{authority}"), NEVER, bollard::API_DEFAULT_VERSION)
            }
        };
        let client = client.map_err(|error| HostError::new(format!("connect to {address}"), error.into()))?;
        let machine = tunnel.as_ref().map(|tunnel| Machine::parse(&tunnel.machine));
        let facts = match (facts::probe(name, &address, machine).await, &tunnel) {
            (Err(error), Some(tunnel)) => {
                tunnel.close().await;
                return Err(error);
            }
            (facts, _) => facts?,
        };
        let here = tunnel.is_none() && facts::is_here(&address).await;
        Ok(Self { client, address, facts, engine: None, tunnel, here })
    }
}

/// An address that can be connected to, and what keeps it so.
async fn forwarded(address: Address) -> Result<(Address, Option<Tunnel>), HostError> {
    match address {
        Address::Ssh { target, local: None } => {
            let tunnel = Tunnel::open(&target).await?;
            let target = SshTarget { socket: Some(tunnel.socket.clone()), ..target };
            Ok((Address::Ssh { target, local: Some(tunnel.local.clone()) }, Some(tunnel)))
        }
        other => Ok((other, None)),
    }
}
