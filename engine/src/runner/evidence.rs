//! What a container shows of why its cases failed, asked for before it is removed. What can't be had says so; nothing
//! here fails, and all of it together has a limit of time, for the next boot waits.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::OUTPUT_LIMIT;
use super::boot::Made;
use crate::events::{Evidence, EvidenceFile};
use crate::host::{ContainerId, ExecRequest, Host, HostError};
use crate::observe::escape;

/// How long all of it may take.
const ALL: Duration = Duration::from_secs(15);
/// How long one question may take: a systemd that hangs answers none.
const ONE: Duration = Duration::from_secs(5);

/// The files that are a command's output in the container.
const COMMANDS: [(&str, &[&str]); 9] = [
    ("journal.txt", &["journalctl", "-b", "--no-pager", "--lines=10000"]),
    ("failed-units.txt", &["systemctl", "status", "--no-pager", "--full", "--lines=50", "--state=failed", "*"]),
    ("jobs.txt", &["systemctl", "list-jobs", "--no-pager", "--full"]),
    ("status.txt", &["systemctl", "status", "--no-pager", "--full"]),
    ("mountinfo.txt", &["cat", "/proc/1/mountinfo"]),
    ("mounts.txt", &["findmnt", "--notruncate"]),
    ("cgroup.txt", &["cat", "/proc/1/cgroup", "/proc/self/cgroup"]),
    ("cgroup-tree.txt", &["find", "/sys/fs/cgroup", "-maxdepth", "5", "-type", "d"]),
    ("limits.txt", &["cat", "/proc/1/status", "/proc/1/limits"]),
];

/// Asks a container for everything.
pub(super) async fn evidence(host: &dyn Host, made: &Made) -> Evidence {
    let id = &made.id;
    let until = Instant::now() + ALL;
    let inspected = limited(until, host.inspect(id)).await;
    let ended = inspected.as_ref().ok().filter(|seen| seen.pointer("/State/Running") == Some(&false.into()));
    let code = ended.and_then(|seen| seen.pointer("/State/ExitCode")).map(ToString::to_string);
    let ended = ended.map(|_| format!("the container had ended, with exit code {}", code.unwrap_or_default()));
    let inspect = inspected.map(|seen| (format!("{seen:#}\n"), false));
    let mut files = vec![
        EvidenceFile { name: "console.log".to_owned(), content: Ok(made.console.raw()) },
        EvidenceFile { name: "inspect.json".to_owned(), content: inspect },
    ];
    for (name, argv) in COMMANDS {
        let content = match &ended {
            Some(why) => Err(why.clone()),
            None => command(host, id, argv, until).await,
        };
        files.push(EvidenceFile { name: name.to_owned(), content });
    }
    let top = match ended {
        Some(why) => Err(why),
        None => limited(until, host.top(id)).await.map(|top| (escape::text(top.as_bytes()), false)),
    };
    files.push(EvidenceFile { name: "processes.txt".to_owned(), content: top });
    Evidence { files }
}

/// What a command printed, and whether it was cut.
async fn command(host: &dyn Host, id: &ContainerId, argv: &[&str], until: Instant) -> Result<(String, bool), String> {
    let request = ExecRequest {
        argv: argv.iter().map(ToString::to_string).collect(),
        timeout: ONE,
        output_limit: OUTPUT_LIMIT,
        ..ExecRequest::default()
    };
    let output = limited(until, host.exec(id, &request)).await?;
    let mut text = format!("$ {}\n{}", shell_words::join(argv), escape::text(&output.stdout));
    if !output.stderr.is_empty() {
        text.push_str(&format!("\nstderr:\n{}", escape::text(&output.stderr)));
    }
    match output.code {
        Some(0) => {}
        Some(code) => text.push_str(&format!("\nexit code {code}\n")),
        None => text.push_str(&format!("\nit did not end within {}\n", humantime::format_duration(ONE))),
    }
    Ok((text, output.stdout_cut || output.stderr_cut))
}

async fn limited<T>(until: Instant, asked: impl Future<Output = Result<T, HostError>>) -> Result<T, String> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(format!("the {} for all of the evidence were over", humantime::format_duration(ALL)));
    }
    let limit = left.min(ONE + Duration::from_secs(1));
    match timeout(limit, asked).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_late) => Err(format!("no answer within {:.0?}", limit)),
    }
}
