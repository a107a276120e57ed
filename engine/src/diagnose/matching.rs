//! Which entries a log leads to. Pure.

use std::borrow::Cow;

use minijinja::Value;
use minijinja::value::Serde;

use super::model::{Diagnoses, Diagnosis, Entry};
use crate::facts::{EngineKind, Facts};
use crate::plan::ContainerSpec;
use crate::scenario::Templates;

/// Who is told more than a few causes is told none.
const MOST: usize = 3;

/// Flags of the container that conditions may read.
pub(super) const CONTAINER: [&str; 14] = [
    "container.cap_add",
    "container.cap_drop",
    "container.cgroupns",
    "container.memory",
    "container.pids_limit",
    "container.privileged",
    "container.read_only",
    "container.security_opt",
    "container.setup_mode",
    "container.systemd",
    "container.tmpfs",
    "container.tty",
    "container.userns",
    "container.volumes",
];

/// What is known of where a log comes from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The host.
    pub host: Option<&'a Facts>,
    /// The container's flags.
    pub container: Option<&'a ContainerSpec>,
}

/// Whether an entry's condition holds.
enum Holds {
    Yes,
    No,
    /// Nothing is known of what it asks about.
    Maybe,
}

impl Diagnoses {
    /// What is known of a log: of its deciding line first, then of its other lines in their order. `log` has no ANSI
    /// sequences in it.
    #[must_use]
    pub fn of(&self, deciding: Option<&str>, log: &str, known: Known<'_>) -> Vec<Diagnosis> {
        let context = context(known);
        let templates = Templates::new();
        let mut found: Vec<Diagnosis> = Vec::new();
        let others = log.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
        let lines = deciding.iter().flat_map(|words| words.lines()).chain(others);
        let mut lines = lines.peekable();
        let nothing = lines.peek().is_none().then_some("");
        for line in nothing.into_iter().chain(lines) {
            for entry in &self.0 {
                let Some(groups) = entry.line.regex().and_then(|pattern| pattern.captures(line)) else { continue };
                let holds = entry.holds(&templates, &context, known);
                if matches!(holds, Holds::No) {
                    continue;
                }
                let maybe = matches!(holds, Holds::Maybe);
                if found.iter().all(|told| told.name != entry.name) {
                    found.push(entry.told(line, &groups, maybe, known));
                }
                if found.len() == MOST {
                    return found;
                }
                if !maybe {
                    break;
                }
            }
        }
        found
    }
}

impl Entry {
    fn holds(&self, templates: &Templates, context: &Value, known: Known<'_>) -> Holds {
        let Some(when) = &self.when else { return Holds::Yes };
        let names = templates.condition_names(when).unwrap_or_default();
        let asks = |first: &str| names.iter().any(|name| name.split('.').next() == Some(first));
        if asks("host") && known.host.is_none() || asks("container") && known.container.is_none() {
            return Holds::Maybe;
        }
        if templates.holds(when, context) == Ok(true) { Holds::Yes } else { Holds::No }
    }

    fn told(&self, line: &str, groups: &regex::Captures<'_>, maybe: bool, known: Known<'_>) -> Diagnosis {
        let text = |text: &String| filled(text, groups).into_owned();
        let of = |engine, flags: &Option<String>| {
            let other = known.host.is_some_and(|host| host.engine != engine);
            flags.as_ref().filter(|_| !other).map(text)
        };
        Diagnosis {
            name: self.name.clone(),
            line: line.to_owned(),
            cause: text(&self.cause),
            fix: text(&self.fix),
            docker: of(EngineKind::Docker, &self.docker),
            podman: of(EngineKind::Podman, &self.podman),
            links: self.links.clone(),
            only_if: self.when.clone().filter(|_| maybe),
        }
    }
}

/// A text with the line's words in it.
fn filled<'t>(text: &'t str, groups: &regex::Captures<'_>) -> Cow<'t, str> {
    let mut rest = text;
    let mut out = String::new();
    // From left to right, so that words of the line are never taken for a name.
    while let Some((before, after)) = rest.split_once('{') {
        let found = after.split_once('}').and_then(|(name, behind)| Some((groups.name(name)?, behind)));
        let Some((group, behind)) = found else {
            out.push_str(before);
            out.push('{');
            rest = after;
            continue;
        };
        out.push_str(before);
        out.push_str(group.as_str());
        rest = behind;
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What conditions read. A flag that was not given is an empty text, so that it compares with one.
fn context(known: Known<'_>) -> Value {
    let flags = known.container.and_then(|container| serde_json::to_value(container).ok());
    let flags = flags.map(|mut flags| {
        flags.as_object_mut().into_iter().flatten().filter(|(_, flag)| flag.is_null()).for_each(|(_, flag)| {
            *flag = "".into();
        });
        flags
    });
    minijinja::context! { host => known.host.map(|host| Value::from(Serde(host))), container => flags.map(|flags| Value::from(Serde(flags))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::parse;
    use crate::source::Sources;

    const FILE: &str = "
[[diagnosis]]
name = 'own'
line = 'Failed to create (?<path>\\S+): (?<why>.*)$'
when = \"container.cgroupns == '' and host.cgroups == 'v2'\"
cause = '{path}: {why} {none'
fix = 'f'
docker = '--a {path}'
podman = '--b'
links = ['moby#1']
[[diagnosis]]
name = 'any'
line = 'Failed to create'
cause = 'c'
fix = 'f'
[[diagnosis]]
name = 'other'
line = 'busy'
cause = 'c'
fix = 'f'
[[diagnosis]]
name = 'empty'
line = '^$'
cause = 'c'
fix = 'f'
";
    const LINE: &str = "Failed to create /{why}: no {path}";

    fn names(deciding: Option<&str>, log: &str, known: Known<'_>) -> Vec<String> {
        found(deciding, log, known).into_iter().map(|told| told.name).collect()
    }

    fn found(deciding: Option<&str>, log: &str, known: Known<'_>) -> Vec<Diagnosis> {
        let mut sources = Sources::default();
        let file = sources.add("d.toml", FILE);
        parse(&sources, file).unwrap().of(deciding, log, known)
    }

    #[test]
    fn the_first_that_fits_is_the_one_and_the_deciding_line_comes_first() {
        let (host, flags) = (Facts::assumed(), ContainerSpec::default());
        let known = Known { host: Some(&host), container: Some(&flags) };
        let log = format!("busy\n\n{LINE}\nbusy\n");
        assert_eq!(names(Some(LINE), &log, known), ["own", "other"]);
        assert_eq!(names(None, &log, known), ["other", "own"]);
        let private = ContainerSpec { cgroupns: Some("private".into()), ..ContainerSpec::default() };
        assert_eq!(names(Some(LINE), "", Known { container: Some(&private), ..known }), ["any"]);
        assert_eq!(names(None, "all is well\n", known), Vec::<String>::new());
    }

    #[test]
    fn the_lines_words_are_filled_in_as_they_are() {
        let told = &found(Some(LINE), "", Known::default())[0];
        assert_eq!(told.cause, "/{why}: no {path} {none");
        assert_eq!(told.docker.as_deref(), Some("--a /{why}"));
    }

    #[test]
    fn what_is_not_known_is_told_as_a_condition() {
        let told = found(Some(LINE), LINE, Known::default());
        let conditions: Vec<_> = told.iter().map(|told| told.only_if.as_deref()).collect();
        assert_eq!(conditions, [Some("container.cgroupns == '' and host.cgroups == 'v2'"), None]);
    }

    #[test]
    fn flags_of_another_engine_are_not_told() {
        let podman = Facts { engine: EngineKind::Podman, ..Facts::assumed() };
        let flags = ContainerSpec::default();
        let told = &found(Some(LINE), "", Known { host: Some(&podman), container: Some(&flags) })[0];
        assert_eq!((told.docker.as_deref(), told.podman.as_deref()), (None, Some("--b")));
    }

    #[test]
    fn an_empty_log_is_an_empty_line() {
        assert_eq!(names(None, " \n\n", Known::default()), ["empty"]);
        assert_eq!(names(None, "a\n\nb\n", Known::default()), Vec::<String>::new());
    }

    #[test]
    fn conditions_can_read_what_there_is() {
        let flags = serde_json::to_value(ContainerSpec::default()).unwrap();
        for name in CONTAINER {
            assert!(flags.get(name.trim_start_matches("container.")).is_some(), "{name}");
        }
    }
}
