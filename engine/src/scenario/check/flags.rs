//! Container flags of one layer, as far as they are plain: what a template makes is the planner's to check.

use std::collections::HashMap;

use super::super::Templates;
use super::super::cursor::Cx;
use super::super::diagnostic::{Code, Diagnostic};
use super::super::model::{Layer, List, Scalar, Template};
use super::super::names::{list, nearest};
use crate::source::{Loc, Sp};

/// Checks one layer.
pub(crate) fn layer(cx: Cx<'_>, layer: &Layer) {
    for (scalar, value) in &layer.scalars {
        if let Some(text) = plain(value) {
            scalar_value(cx, *scalar, text, None);
        }
    }
    capabilities(cx, layer);
    paths(cx, layer);
    shapes(cx, layer);
    command(cx, layer);
}

/// The text of a template that has nothing to render.
fn plain(template: &Template) -> Option<&Sp<String>> {
    Templates::is_plain(&template.0.value).then_some(&template.0)
}

fn plain_items(layer: &Layer, key: List) -> impl Iterator<Item = &Sp<String>> {
    layer.lists.get(&key).into_iter().flatten().filter_map(plain)
}

fn contradiction(cx: Cx<'_>, message: &str, at: (&Loc, &str), also: (&Loc, &str), help: &str) {
    let diagnostic = Diagnostic::new(Code::Contradiction, message, at.0, at.1).also(also.0, also.1);
    cx.sink.push(diagnostic.help(help));
}

/// Checks one value of a scalar: written there, or fed by an axis (then `feeds` is where it is used).
pub(crate) fn scalar_value(cx: Cx<'_>, scalar: Scalar, value: &Sp<String>, feeds: Option<&Loc>) {
    let key = Scalar::ALL.iter().find(|(known, _)| *known == scalar).map_or("", |(_, key)| *key);
    let help = match scalar {
        Scalar::Cgroupns => one_of(&value.value, &["host", "private"]),
        Scalar::Systemd => one_of(&value.value, &["always", "true", "false"]),
        Scalar::Privileged | Scalar::ReadOnly | Scalar::Tty => one_of(&value.value, &["true", "false"]),
        Scalar::Memory | Scalar::ShmSize if !is_size(&value.value) => {
            Some("a whole number of bytes, or with a unit: \"64k\", \"256m\", \"1g\"".to_string())
        }
        Scalar::Cpus if !value.value.parse::<f64>().is_ok_and(|n| n.is_finite() && n > 0.0) => {
            Some("a number of CPUs above 0, such as 0.5".to_string())
        }
        Scalar::PidsLimit if !value.value.parse::<i64>().is_ok_and(|n| n == -1 || n > 0) => {
            Some("a whole number above 0, or -1 for no limit".to_string())
        }
        Scalar::StopSignal if !is_signal(&value.value) => {
            Some("a signal's name or number, such as \"SIGRTMIN+3\", \"SIGTERM\" or 37".to_string())
        }
        _ => None,
    };
    // An axis value that is empty stands for the engine's own default.
    let Some(help) = help.filter(|_| feeds.is_none() || !value.value.is_empty()) else { return };
    let message = format!("`{key}` can't be \"{}\"", value.value);
    let mut diagnostic = Diagnostic::new(Code::BadValue, message, &value.loc, "here").help(help);
    if let Some(feeds) = feeds {
        diagnostic = diagnostic.also(feeds, "used here");
    }
    cx.sink.push(diagnostic);
}

fn one_of(value: &str, known: &[&str]) -> Option<String> {
    if known.contains(&value) {
        return None;
    }
    let near = nearest(value, known.iter().copied()).map(|near| format!("did you mean \"{near}\"? "));
    Some(format!("{}it is one of {}", near.unwrap_or_default(), list(known)))
}

fn is_size(text: &str) -> bool {
    let number = text.to_ascii_lowercase();
    let number = number.strip_suffix('b').unwrap_or(&number);
    let number = number.strip_suffix(['k', 'm', 'g', 't']).unwrap_or(number);
    number.parse::<u64>().is_ok_and(|n| n > 0)
}

fn is_signal(text: &str) -> bool {
    if let Ok(number) = text.parse::<u8>() {
        return (1..=64).contains(&number);
    }
    let name = text.strip_prefix("SIG").unwrap_or(text);
    let (name, offset) = name.split_once(['+', '-']).unwrap_or((name, "0"));
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && offset.parse::<u8>().is_ok()
}

/// Checks how a capability is written, and gives its bare name.
pub(crate) fn capability(cx: Cx<'_>, text: &Sp<String>) -> String {
    let upper = text.value.to_ascii_uppercase();
    let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if bare != text.value {
        let message = format!("capabilities are written in capitals and without `CAP_`: {}", text.value);
        let diagnostic = Diagnostic::new(Code::BadValue, message, &text.loc, "here");
        cx.sink.push(diagnostic.help(format!("write \"{bare}\"")));
    }
    bare.to_string()
}

fn capabilities(cx: Cx<'_>, layer: &Layer) {
    let mut seen: HashMap<(List, String), &Loc> = HashMap::new();
    for key in [List::CapAdd, List::CapDrop] {
        for capability in plain_items(layer, key) {
            let bare = self::capability(cx, capability);
            if let Some(first) = seen.get(&(key, bare.clone())) {
                let message = format!("{bare} stands twice in one list");
                cx.sink.push(
                    Diagnostic::new(Code::Duplicate, message, &capability.loc, "again here")
                        .also(first, "first here")
                        .help("leave one out"),
                );
            } else if let Some(added) = seen.get(&(List::CapAdd, bare.clone())) {
                let message = format!("{bare} is both added and dropped");
                let help = "keep one of the two; by case, use [[container.when]] or a template";
                contradiction(cx, &message, (&capability.loc, "dropped here"), (added, "added here"), help);
            }
            seen.insert((key, bare), &capability.loc);
        }
    }
    let privileged = layer.scalars.get(&Scalar::Privileged).filter(|value| value.0.value == "true");
    let added = layer.lists.get(&List::CapAdd).and_then(|items| items.first());
    if let (Some(privileged), Some(added)) = (privileged, added) {
        let message = "`cap_add` changes nothing: a privileged container has every capability";
        let help = "leave out `privileged` to see what the capabilities do, or leave out `cap_add`";
        contradiction(cx, message, (&added.0.loc, "added here"), (&privileged.0.loc, "privileged here"), help);
    }
}

fn paths(cx: Cx<'_>, layer: &Layer) {
    let tmpfs = plain_items(layer, List::Tmpfs).map(|item| (item, item.value.split(':').next(), "a tmpfs here"));
    let volumes = plain_items(layer, List::Volumes).map(|item| (item, item.value.split(':').nth(1), "a volume here"));
    let mut seen: HashMap<&str, (&Loc, &str)> = HashMap::new();
    for (item, path, label) in tmpfs.chain(volumes) {
        let Some(path) = path else { continue };
        let path = if path == "/" { path } else { path.trim_end_matches('/') };
        if !path.starts_with('/') {
            let message = format!("\"{path}\" is no absolute path in the container");
            let diagnostic = Diagnostic::new(Code::BadValue, message, &item.loc, "here");
            cx.sink.push(
                diagnostic.help("it starts with `/`; a tmpfs is \"path[:options]\", a volume \"host:path[:options]\""),
            );
        } else if let Some(first) = seen.insert(path, (&item.loc, label)) {
            let message = format!("{path} is mounted twice, and only one of the two would show");
            contradiction(cx, &message, (&item.loc, label), first, "keep one of the two");
        }
    }
}

fn shapes(cx: Cx<'_>, layer: &Layer) {
    let check = |key: List, good: fn(&str) -> bool, help: &str| {
        for item in plain_items(layer, key).filter(|item| !good(&item.value)) {
            let message = format!("\"{}\" does not have the right shape", item.value);
            cx.sink.push(Diagnostic::new(Code::BadValue, message, &item.loc, "here").help(help));
        }
    };
    check(List::Volumes, |text| text.contains(':'), "\"host:container\" or \"host:container:ro\"");
    check(List::Devices, |text| text.starts_with('/'), "\"/dev/host\", \"/dev/host:/dev/container\" or with \":rwm\"");
    check(List::Ulimits, is_ulimit, "\"name=soft\" or \"name=soft:hard\", such as \"nofile=1024:2048\"");
}

fn is_ulimit(text: &str) -> bool {
    let number = |text: &str| text.parse::<i64>().is_ok_and(|n| n >= -1);
    text.split_once('=').is_some_and(|(name, limits)| {
        let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
        !name.is_empty() && number(soft) && number(hard)
    })
}

/// podman's systemd mode `true` looks at the command, and does nothing unless it is an init.
fn command(cx: Cx<'_>, layer: &Layer) {
    let Some(program) = layer.lists.get(&List::Command).and_then(|items| items.first()) else { return };
    let Some(systemd) = layer.scalars.get(&Scalar::Systemd).filter(|value| value.0.value == "true") else { return };
    let Some(text) = plain(program) else { return };
    let base = text.value.rsplit('/').next().unwrap_or_default();
    if !matches!(base, "init" | "systemd") {
        let message = "podman's systemd mode \"true\" does nothing for a command that is no init";
        let help = "systemd = \"always\" turns it on for every command; or leave one of the two out";
        contradiction(cx, message, (&systemd.0.loc, "systemd mode here"), (&program.0.loc, "no init"), help);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_signals_and_limits() {
        assert!(is_size("1024") && is_size("256m") && is_size("1g") && is_size("64KB"));
        assert!(!is_size("0") && !is_size("m") && !is_size("1.5g") && !is_size("-1"));
        assert!(is_signal("SIGRTMIN+3") && is_signal("TERM") && is_signal("37"));
        assert!(!is_signal("sigterm") && !is_signal("0") && !is_signal("RTMIN+x"));
        assert!(is_ulimit("nofile=1024:2048") && is_ulimit("core=-1"));
        assert!(!is_ulimit("nofile") && !is_ulimit("nofile=a"));
    }
}
