//! What is ours of a host: an engine that we started, a machine that it runs in.

use async_trait::async_trait;

use super::Docker;

/// What we started for a host, and end with it.
#[async_trait]
pub(in crate::host) trait Owned: Send + Sync {
    /// The cgroup below which containers go that name none; `None` where the engine sees to it.
    fn cgroup_parent(&self) -> Option<&str> {
        None
    }

    /// By how much it is slower than this machine.
    fn slowness(&self) -> u32 {
        1
    }

    /// Whether it has a kernel of its own, that is gone with it.
    fn own_kernel(&self) -> bool {
        false
    }

    /// Makes later starts begin where it is now.
    async fn keep(&self) -> Result<(), String> {
        Ok(())
    }

    /// Ends it and cleans up; what could not be removed.
    async fn close(&self, docker: &Docker) -> Vec<String>;
}
