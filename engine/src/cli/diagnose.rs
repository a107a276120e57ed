//! `sdc-engine diagnose`: from a log to the cause and the remedy. Starts nothing but, where a lab host is named, its engine.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use super::args::DiagnoseArgs;
use super::exit::{Exit, Failure};
use super::{columns, host, json, print};
use crate::diagnose::{self, Diagnoses, Diagnosis, Known, killed_for_memory};
use crate::files;
use crate::host::{ContainerId, Host};
use crate::observe::console::{deciding_line, plain};
use crate::plan::ContainerSpec;
use crate::redact::Redaction;
use crate::report::{diagnosis, plain_log};

/// How much of a log is read, from its end where it comes from an engine.
const LIMIT: usize = 4 << 20;

/// A log, and what is known of where it comes from.
struct Read {
    text: String,
    /// What the engine says of the container's end, which no log shows.
    words: Option<String>,
    found: Vec<Diagnosis>,
}

/// Reads a log, and says what is known of it.
pub(super) async fn diagnose(args: DiagnoseArgs, images: &Path, redaction: &Redaction) -> Result<Exit, Failure> {
    let diagnoses = diagnose::load(images).map_err(Failure::input)?;
    let read = match &args.container {
        Some(name) => from_container(&args, name, images, &diagnoses).await?,
        None => {
            let text = plain(&String::from_utf8_lossy(&file(&args.file).await?));
            let found = diagnoses.of(deciding_line(&text, false).as_deref(), &text, Known::default());
            Read { text, words: None, found }
        }
    };
    let deciding = read.words.or_else(|| deciding_line(&read.text, false));
    if args.json {
        let mut value = serde_json::json!({ "deciding_line": deciding, "diagnoses": read.found });
        redaction.value(&[], &mut value);
        print(&json(&value)?)?;
    } else if read.found.is_empty() {
        print(&unknown(deciding.as_deref()))?;
    } else {
        print(&diagnosis(&read.found, columns()))?;
    }
    Ok(if read.found.is_empty() { Exit::Differs } else { Exit::Held })
}

/// What to do with a log that leads nowhere.
fn unknown(deciding: Option<&str>) -> String {
    let line =
        deciding.map_or_else(String::new, |line| format!("the line that looks most telling:\n│ {}\n", plain_log(line)));
    format!(
        "no cause is known for this log\n{line}Give the whole console log from the container's start (docker logs NAME, podman \
         logs NAME; the container needs a TTY), or the engine's words where it refused to start. If that is what you gave, please \
         report it with the log, and add an entry to images/diagnoses.toml: its head says how.\n"
    )
}

/// A file's bytes, or those of standard input.
async fn file(path: &Path) -> Result<Vec<u8>, Failure> {
    if path != Path::new("-") {
        return files::read(path, LIMIT as u64).map_err(|error| {
            Failure::input(miette::miette!(
                help = "give a file with a container's log, `-` for standard input, or --container NAME",
                "failed to read {}: {error}",
                path.display()
            ))
        });
    }
    if std::io::stdin().is_terminal() {
        let words = b"reading the log from standard input: paste it, then Ctrl-D (or: docker logs NAME 2>&1 | sdc-engine diagnose)\n";
        let _gone = std::io::Write::write_all(&mut std::io::stderr(), words);
    }
    let read = || {
        let mut bytes = Vec::new();
        std::io::stdin().take(LIMIT as u64).read_to_end(&mut bytes).map(|_| bytes)
    };
    tokio::task::spawn_blocking(read).await.map_err(Failure::environment)?.map_err(Failure::environment)
}

async fn from_container(
    args: &DiagnoseArgs,
    name: &str,
    images: &Path,
    diagnoses: &Diagnoses,
) -> Result<Read, Failure> {
    let opened = host::open_one(&args.host, images).await?;
    let read = ask(opened.host.as_ref(), name, diagnoses).await;
    let left = opened.host.close().await;
    let read = read?;
    if left.is_empty() { Ok(read) } else { Err(Failure::environment(left.join("; "))) }
}

async fn ask(host: &dyn Host, name: &str, diagnoses: &Diagnoses) -> Result<Read, Failure> {
    let id = ContainerId(name.to_owned());
    let inspected = host.inspect(&id).await.map_err(Failure::environment)?;
    let log = host.logs(&id, LIMIT).await.map_err(Failure::environment)?;
    let text = plain(&String::from_utf8_lossy(&log));
    let container = flags(&inspected);
    let words = words(&inspected);
    let deciding = words.clone().or_else(|| deciding_line(&text, false));
    let known = Known { host: Some(host.facts()), container: Some(&container) };
    Ok(Read { found: diagnoses.of(deciding.as_deref(), &text, known), words, text })
}

/// What only the engine knows: that the kernel killed PID 1, or why it did not start.
fn words(inspected: &serde_json::Value) -> Option<String> {
    let error = inspected.pointer("/State/Error").and_then(serde_json::Value::as_str);
    killed_for_memory(inspected).or_else(|| error.filter(|words| !words.is_empty()).map(str::to_owned))
}

/// The flags that conditions may ask about, as inspect shows them.
fn flags(inspected: &serde_json::Value) -> ContainerSpec {
    let at = |name: &str| inspected.pointer(&format!("/HostConfig/{name}"));
    let text = |name: &str| at(name).and_then(|v| v.as_str()).filter(|text| !text.is_empty()).map(str::to_owned);
    let truth = |name: &str| at(name).and_then(serde_json::Value::as_bool).unwrap_or(false);
    let list = |name: &str| {
        let items = at(name).and_then(|v| v.as_array()).into_iter().flatten().filter_map(|v| v.as_str());
        items.map(|item| item.trim_start_matches("CAP_").to_owned()).collect::<Vec<_>>()
    };
    let tmpfs = at("Tmpfs").and_then(|v| v.as_object()).into_iter().flatten();
    ContainerSpec {
        cgroupns: text("CgroupnsMode"),
        userns: text("UsernsMode"),
        privileged: truth("Privileged"),
        read_only: truth("ReadonlyRootfs"),
        tty: inspected.pointer("/Config/Tty").and_then(serde_json::Value::as_bool).unwrap_or(false),
        cap_add: list("CapAdd"),
        cap_drop: list("CapDrop"),
        security_opt: list("SecurityOpt"),
        volumes: list("Binds"),
        tmpfs: tmpfs.map(|(path, options)| (path.clone(), options.as_str().unwrap_or("").to_owned())).collect(),
        memory: at("Memory").and_then(serde_json::Value::as_i64).filter(|bytes| *bytes > 0),
        pids_limit: at("PidsLimit").and_then(serde_json::Value::as_i64).filter(|limit| *limit > 0),
        ..ContainerSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_knows_what_no_log_shows() {
        let inspected = serde_json::json!({
            "State": { "OOMKilled": true, "Error": "x" },
            "Config": { "Tty": true },
            "HostConfig": { "CgroupnsMode": "private", "CapAdd": ["CAP_SYS_ADMIN"], "Memory": 0, "Tmpfs": { "/run": "" },
                "Binds": null, "Privileged": false },
        });
        assert!(words(&inspected).is_some_and(|words| words.contains("want of memory")));
        let flags = flags(&inspected);
        assert_eq!((flags.cgroupns.as_deref(), flags.tty, flags.memory), (Some("private"), true, None));
        assert_eq!((flags.cap_add, flags.tmpfs.len()), (vec!["SYS_ADMIN".to_owned()], 1));
        let refused = serde_json::json!({ "State": { "Error": "exec: no such file" } });
        assert_eq!(words(&refused).as_deref(), Some("exec: no such file"));
    }
}
