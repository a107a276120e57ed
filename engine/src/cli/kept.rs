//! Containers that `--keep` has kept: how to enter and remove each, and the private engines that stay up for them.

use std::io::Write as _;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::goldens::in_ci;
use crate::events::Kept;
use crate::host::Host;
use crate::host::by_hand::client;
use crate::report::clean;
use crate::report::github::printable;
use crate::runner::SETUP_LOG;

/// Says how to enter and remove what is kept; then holds our own engines until a signal, and closes them. Gives what could
/// not be removed.
pub(super) async fn show_and_hold(kept: &[Kept], held: &[Arc<dyn Host>], cancel: &CancellationToken) -> Vec<String> {
    let engine = |kept: &Kept| held.iter().find(|host| host.facts().name == kept.host);
    let mut text = String::new();
    for one in kept {
        let host = engine(one);
        let client = host.map_or_else(|| one.client.clone(), |host| client(host.facts().engine, &host.address()));
        text += &format!("kept     {} of {}, on {}\n", one.container, one.case, one.host);
        text += &words(&client, one).into_iter().map(|line| format!("    {line}\n")).collect::<String>();
    }
    if held.is_empty() || in_ci() {
        if !held.is_empty() {
            text += "CI is set, and nobody waits: the private engine ends with its containers\n";
        }
        tell(&text);
    } else {
        tell(&(text + "the private engine stays up for this; Ctrl-C ends it, and removes everything\n"));
        cancel.cancelled().await;
    }
    let mut left = Vec::new();
    for host in held {
        left.extend(host.close().await);
    }
    left
}

/// Standard output may be a report's.
fn tell(text: &str) {
    let _gone = std::io::stderr().write_all(printable(&clean_lines(text)).as_bytes());
}

/// Names come from files: nothing in them steers the terminal.
fn clean_lines(text: &str) -> String {
    text.lines().map(|line| clean(line) + "\n").collect()
}

/// What to do with a container.
fn words(client: &str, kept: &Kept) -> Vec<String> {
    let name = &kept.container;
    let enter = if kept.running {
        vec![format!("{client} exec --interactive --tty {name} /bin/sh")]
    } else {
        vec![format!("{client} logs {name}"), format!("{client} cp {name}:{SETUP_LOG} -")]
    };
    enter.into_iter().chain([format!("{client} rm --force --volumes {name}")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::CaseId;

    #[test]
    fn a_container_that_ended_is_not_entered() {
        let kept = |running| Kept {
            host: "h".into(),
            container: "c".into(),
            case: CaseId("a".into()),
            running,
            client: "docker".into(),
        };
        assert_eq!(words("docker", &kept(true))[0], "docker exec --interactive --tty c /bin/sh");
        assert_eq!(words("docker", &kept(false))[0], "docker logs c");
        assert_eq!(words("docker", &kept(false))[2], "docker rm --force --volumes c");
    }
}
