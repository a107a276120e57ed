//! podman's own API, for what its docker-compatible one lacks or does otherwise: creating with the systemd mode, the cgroup
//! namespace on v1, `unmask`, `cgroups` and podman's user namespaces; waiting; removing at once; and what inspect shows.

mod spec;

use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::{TryStreamExt, future, stream};
use serde_json::{Value, json};

use super::address::Address;
use super::frames::Source;
use super::wire::{Chunks, delete, get_json, get_stream, post_json};
use super::{HostError, HostErrorKind};
use crate::facts::Facts;
use crate::plan::ContainerSpec;

pub(super) use spec::body;

/// Where podman's own API begins: the oldest version that is asked for, which newer ones answer too.
pub(super) const API: &str = "/v4.0.0/libpod";

/// Makes a container: its id.
pub(super) async fn create(address: &Address, body: &Value) -> Result<String, HostErrorKind> {
    let answer = post_json(address, &format!("{API}/containers/create"), body).await?;
    let id = answer.get("Id").and_then(Value::as_str).map(ToOwned::to_owned);
    id.ok_or_else(|| HostErrorKind::Unreachable("it answered without the container's id".to_owned()))
}

/// Waits for a container's end: PID 1's exit code. Through the docker-compatible call podman would ask itself for the
/// state without a pause, and take a core for each container that is waited for.
pub(super) async fn wait(address: &Address, id: &str) -> Result<i64, HostErrorKind> {
    let answer = post_json(address, &format!("{API}/containers/{id}/wait?interval=100ms"), &json!({})).await?;
    answer.as_i64().ok_or_else(|| HostErrorKind::Unreachable(format!("it answered `{answer}` for an exit code")))
}

/// Kills and removes a container. The docker-compatible call would give it its stop signal and ten seconds first.
///
/// Of one that has just ended, what conmon started to clean up after it may still hold a mount: then again, a moment later.
pub(super) async fn remove(address: &Address, id: &str) -> Result<(), HostErrorKind> {
    const PAUSES: [u64; 5] = [50, 100, 200, 400, 800];
    let path = format!("{API}/containers/{id}?force=true&volumes=true&timeout=0");
    for pause in PAUSES {
        match delete(address, &path).await {
            Err(HostErrorKind::Refused { message, .. }) if message.contains("device or resource busy") => {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            other => return other,
        }
    }
    delete(address, &path).await
}

/// When a container was started last, as podman writes it; `None` for one that never was.
pub(super) fn started(inspect: &Value) -> Option<&str> {
    inspect.pointer("/State/StartedAt").and_then(Value::as_str).filter(|at| !at.starts_with("0001-"))
}

/// The console of a container that has run before and stands, from its next start on: by its log, not by attaching. To attach,
/// podman makes the stopped container ready, and the cleanup after its last run, which ends a moment after a stop has been
/// answered, takes that away again ("container state improper", an attach socket that is gone: podman 4.3.1).
///
/// What the log has already is counted and left out: by times it can't be told apart, for last lines are dated after the end.
///
/// # Errors
/// Where the log can't be read.
pub(super) async fn console_again(
    address: Address,
    id: String,
    framed: bool,
    before: String,
) -> Result<Chunks, HostErrorKind> {
    let log = |follow: bool| format!("/containers/{id}/logs?follow={follow}&stdout=true&stderr=true");
    let (whole, followed) = (log(false), log(true));
    let known = get_stream(&address, &whole, framed).await?;
    let known = known.try_fold(0, |length, (_, bytes)| future::ready(Ok(length + bytes.len()))).await?;
    let next = async move {
        while !get_json(&address, &format!("{API}/containers/{id}/json"))
            .await
            .map(|now| started(&now) != Some(&before))?
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        get_stream(&address, &followed, framed).await
    };
    let mut left_out = known;
    let new = move |(source, mut bytes): (Source, Bytes)| {
        let old = left_out.min(bytes.len());
        left_out -= old;
        bytes.advance(old);
        future::ready(Ok((!bytes.is_empty()).then_some((source, bytes))))
    };
    Ok(Box::pin(stream::once(next).try_flatten().try_filter_map(new)))
}

/// podman makes what its runtime needs when it attaches to a container that is yet to start. What it refuses then are the
/// words of a start, with which container it was before them.
pub(super) fn refused_early(error: HostError) -> HostError {
    match error.kind {
        HostErrorKind::Refused { status, message } => {
            let words = match message.split_once(" for attach: ") {
                Some((before, words)) if before.starts_with("preparing container") => words.to_owned(),
                _ => message,
            };
            HostError { kind: HostErrorKind::Refused { status, message: words }, ..error }
        }
        _ => error,
    }
}

/// What podman shows in its own API only: the cgroup namespace, whether there is a cgroup, the systemd
/// mode, the capabilities in the end.
pub(super) fn add_own(shown: &mut Value, own: &Value) {
    for (from, object, key) in [
        ("/HostConfig/CgroupMode", "/HostConfig", "CgroupnsMode"),
        ("/HostConfig/Cgroups", "/HostConfig", "Cgroups"),
        ("/Config/SystemdMode", "/Config", "SystemdMode"),
        ("/EffectiveCaps", "", "EffectiveCaps"),
    ] {
        if let (Some(value), Some(object)) =
            (own.pointer(from), shown.pointer_mut(object).and_then(Value::as_object_mut))
        {
            object.insert(key.to_owned(), value.clone());
        }
    }
}

/// Where any limit is asked for, podman 4 raises the open files and processes that are not to numbers of its own, and a
/// kernel that may not do so refuses the container. They stay as the engine has them, as they do where none is asked for.
pub(super) fn keep_limits(spec: &mut ContainerSpec, facts: &Facts) {
    if spec.ulimits.is_empty() || !facts.missing_capabilities.contains("SYS_RESOURCE") {
        return;
    }
    for name in ["nofile", "nproc"] {
        let asked = spec.ulimits.iter().any(|limit| limit.starts_with(&format!("{name}=")));
        let values = facts.rlimits.get(name).filter(|values| !values.contains("unlimited"));
        if let (false, Some(values)) = (asked, values) {
            spec.ulimits.push(format!("{name}={values}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_are_not_asked_for_stay_where_they_can_not_be_raised() {
        let limits = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut facts = Facts::assumed();
        facts.rlimits = [("nofile", "10:20"), ("nproc", "30:30")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let kept = |asked: &[&str], facts: &Facts| {
            let mut spec = ContainerSpec { ulimits: limits(asked), ..ContainerSpec::default() };
            keep_limits(&mut spec, facts);
            spec.ulimits
        };
        assert_eq!(kept(&["nofile=1:2"], &facts), limits(&["nofile=1:2"]));
        facts.missing_capabilities.insert("SYS_RESOURCE".into());
        assert_eq!(kept(&["nofile=1:2"], &facts), limits(&["nofile=1:2", "nproc=30:30"]));
        assert_eq!(kept(&["core=0:0"], &facts), limits(&["core=0:0", "nofile=10:20", "nproc=30:30"]));
        assert_eq!(kept(&[], &facts), limits(&[]));
    }
}
