//! Commands inside a container: started, drained up to a limit of bytes and of time, and asked for their exit code.

use std::time::Duration;

use bollard::Docker as Client;
use bollard::exec::StartExecOptions;
use bollard::models::ExecConfig;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout_at};

use super::address::Address;
use super::errors::{CALL, limited};
use super::frames::Source;
use super::wire::{Chunks, attach};
use super::{ContainerId, ExecOutput, ExecRequest, HostError, HostErrorKind};

/// How long a silent stream is waited for before the engine is asked whether the command still runs.
const SILENCE: Duration = Duration::from_millis(500);
/// How long output may still come after the command has ended.
const REST: Duration = Duration::from_millis(100);
/// How often the exit code is asked for, at first.
const POLL: Duration = Duration::from_millis(5);

/// Runs a command in a container.
pub(super) async fn run(
    client: &Client,
    address: &Address,
    id: &ContainerId,
    request: &ExecRequest,
) -> Result<ExecOutput, HostError> {
    let action = || format!("run `{}` in container {}", shell_words::join(&request.argv), id.short());
    let deadline = Instant::now() + request.timeout;
    let config = ExecConfig {
        // Both are always attached: older podman wants it.
        attach_stdout: Some(!request.detach),
        attach_stderr: Some(!request.detach),
        cmd: Some(request.argv.clone()),
        user: request.user.clone(),
        ..ExecConfig::default()
    };
    let exec = limited(action(), CALL, client.create_exec(&id.0, config)).await.map_err(failed)?.id;
    if request.detach {
        let options = StartExecOptions { detach: true, ..StartExecOptions::default() };
        limited(action(), CALL, client.start_exec(&exec, Some(options))).await?;
        return Ok(ExecOutput::default());
    }
    // Not bollard's: it takes what is no frame for output, and keeps a frame until it is whole.
    let (path, body) = (format!("/exec/{exec}/start"), serde_json::json!({ "Detach": false, "Tty": false }));
    let output = limited(action(), CALL, attach(address, &path, Some(&body), true)).await?;
    let mut kept = drain(client, &exec, output, request.output_limit, deadline)
        .await
        .map_err(|kind| HostError::new(action(), kind))?;
    if !kept.timed_out {
        kept.code = exit_code(client, &exec, deadline).await.map_err(|kind| HostError::new(action(), kind))?;
        kept.timed_out = kept.code.is_none();
    }
    match not_started(&kept) {
        Some(words) => Err(HostError::new(action(), HostErrorKind::Refused { status: 400, message: words })),
        None => Ok(kept),
    }
}

/// To note down a command can't fail because of the command: a fault there is the engine's, whatever it says.
fn failed(error: HostError) -> HostError {
    match error.kind {
        HostErrorKind::Refused { status: status @ 500.., message } => {
            HostError { kind: HostErrorKind::Failed { status, message }, ..error }
        }
        _ => error,
    }
}

/// Reads until the end of the stream, the deadline, or shortly after the command's end: what a background process of
/// it holds open does not keep us.
async fn drain(
    client: &Client,
    exec: &str,
    mut output: Chunks,
    limit: usize,
    deadline: Instant,
) -> Result<ExecOutput, HostErrorKind> {
    let mut kept = ExecOutput::default();
    let mut over = false;
    loop {
        let pause = Instant::now() + if over { REST } else { SILENCE };
        match timeout_at(pause.min(deadline), output.next()).await {
            Ok(None) => return Ok(kept),
            Ok(Some(Err(error))) => return Err(error),
            Ok(Some(Ok(chunk))) => {
                keep(&mut kept, &chunk, limit);
                if Instant::now() >= deadline {
                    kept.timed_out = !over;
                    return Ok(kept);
                }
            }
            Err(_) if over => return Ok(kept),
            Err(_) if Instant::now() >= deadline => {
                kept.timed_out = true;
                return Ok(kept);
            }
            Err(_) => over = !inspect(client, exec).await?.0,
        }
    }
}

fn keep(kept: &mut ExecOutput, (source, bytes): &(Source, Bytes), limit: usize) {
    let (stream, cut) = match source {
        Source::Stdout => (&mut kept.stdout, &mut kept.stdout_cut),
        Source::Stderr => (&mut kept.stderr, &mut kept.stderr_cut),
    };
    let room = limit.saturating_sub(stream.len()).min(bytes.len());
    stream.extend_from_slice(&bytes[..room]);
    *cut |= room < bytes.len();
}

/// The exit code; `None` where the deadline passes first. The stream ends a little before the engine knows it.
async fn exit_code(client: &Client, exec: &str, deadline: Instant) -> Result<Option<i64>, HostErrorKind> {
    let mut pause = POLL;
    // A command that ended at its deadline has ended all the same.
    let deadline = deadline.max(Instant::now() + REST);
    loop {
        let (running, code) = inspect(client, exec).await?;
        if !running {
            return Ok(Some(code.unwrap_or_default()));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

async fn inspect(client: &Client, exec: &str) -> Result<(bool, Option<i64>), HostErrorKind> {
    let answer = limited("inspect an exec", CALL, client.inspect_exec(exec)).await.map_err(|error| error.kind)?;
    Ok((answer.running.unwrap_or_default(), answer.exit_code))
}

/// The runtime's words where the command could not be started: after the upgrade the engine can only print them.
fn not_started(output: &ExecOutput) -> Option<String> {
    if !matches!(output.code, Some(126 | 127 | 255 | -1)) {
        return None;
    }
    let starts = ["OCI runtime exec failed", "OCI runtime error", "cannot exec in a stopped", "unable to upgrade"];
    let texts = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
    let docker = texts.iter().find(|text| starts.iter().any(|start| text.starts_with(start)));
    docker.cloned().or_else(|| texts.iter().find_map(|text| podmans_words(text)))
}

/// podman's words: `Error: runc: <why>: OCI <what it comes to>` on the first line, and more of its own after it.
fn podmans_words(text: &str) -> Option<String> {
    let first = text.lines().next()?.trim().strip_prefix("Error: ")?;
    let (_, comes_to) = first.rsplit_once(": OCI ")?;
    let known = ["runtime attempted to invoke", "runtime error", "permission denied", "not found"];
    known.iter().any(|start| comes_to.starts_with(start)).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stream_is_cut_at_the_limit() {
        let mut kept = ExecOutput::default();
        keep(&mut kept, &(Source::Stdout, "12345".into()), 4);
        keep(&mut kept, &(Source::Stderr, "abc".into()), 4);
        assert_eq!((kept.stdout.as_slice(), kept.stderr.as_slice()), (&b"1234"[..], &b"abc"[..]));
        assert_eq!((kept.stdout_cut, kept.stderr_cut), (true, false));
    }

    #[test]
    fn a_command_that_was_not_started_is_told_from_one_that_failed() {
        let output = |code, text: &str| ExecOutput { code: Some(code), stdout: text.into(), ..ExecOutput::default() };
        let words = "OCI runtime exec failed: exec failed: \"nope\": executable file not found in $PATH: unknown\r\n";
        assert!(not_started(&output(126, words)).is_some_and(|w| w.ends_with("unknown")));
        assert_eq!(not_started(&output(127, "sh: nope: not found\n")), None);
        assert_eq!(not_started(&output(0, words)), None);
        let podman = "Error: crun: executable file `nope` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found\nError: read unixpacket: connection reset by peer\n";
        assert!(not_started(&output(127, podman)).is_some_and(|w| w.starts_with("crun:") && w.ends_with("not found")));
        assert_eq!(not_started(&output(127, "Error: crun: no such command\n")), None);
    }
}
