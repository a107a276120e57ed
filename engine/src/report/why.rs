//! What is known of why a boot failed: the cause and the remedy, under the line that led to them. Pure.

use crate::diagnose::{Diagnosis, url};

use super::details::{Look, block};
use super::style::{BOLD, DIM, PLAIN, WARN};
use super::text::{plain_log, wrap_words};

/// The columns that names take.
const NAME: usize = 8;

/// The lines of all of them; `shown` is the line that stands above them already.
pub(super) fn lines(diagnoses: &[Diagnosis], shown: Option<&str>, indent: usize, look: Look) -> Vec<String> {
    let mut out = Vec::new();
    let mut above = shown;
    for told in diagnoses {
        if above.is_none_or(|above| !above.lines().any(|line| line == told.line)) {
            out.extend(block(indent, &line(told), usize::MAX, WARN, look));
        }
        above = Some(&told.line);
        for (name, text) in fields(told) {
            out.extend(field(indent, name, &text, look));
        }
    }
    out
}

/// The line, or words for a log that has none.
fn line(told: &Diagnosis) -> String {
    if told.line.is_empty() { "(the log is empty)".to_owned() } else { plain_log(&told.line) }
}

fn fields(told: &Diagnosis) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    fields.extend(told.only_if.as_ref().map(|when| ("if", when.clone())));
    fields.extend([("why", told.cause.clone()), ("fix", told.fix.clone())]);
    fields.extend(told.docker.as_ref().map(|flags| ("docker", flags.clone())));
    fields.extend(told.podman.as_ref().map(|flags| ("podman", flags.clone())));
    fields.extend(told.links.iter().map(|link| ("see", url(link).unwrap_or_else(|| link.clone()))));
    fields
}

/// A named text; what does not fit goes on below its start.
pub(super) fn field(indent: usize, name: &str, text: &str, look: Look) -> Vec<String> {
    let columns = look.columns.map(|columns| columns.saturating_sub(indent + NAME));
    // Words of a log may be among them.
    let text = plain_log(text).replace('\n', " ");
    let wrapped = wrap_words(&[(if name == "see" { DIM } else { PLAIN }, &text)], columns);
    let lead = |i: usize| if i == 0 { super::style::paint(BOLD, &format!("{name:<NAME$}")) } else { " ".repeat(NAME) };
    wrapped.iter().enumerate().map(|(i, line)| format!("{}{}{line}", " ".repeat(indent), lead(i))).collect()
}

/// The text of `sdc-engine diagnose`.
#[must_use]
pub fn diagnosis(diagnoses: &[Diagnosis], columns: Option<usize>) -> String {
    let look = Look { columns, full: true };
    let mut text = String::new();
    for (i, told) in diagnoses.iter().enumerate() {
        if i > 0 {
            text.push('\n');
        }
        let lines = lines(std::slice::from_ref(told), None, 0, look);
        text.extend(lines.into_iter().map(|line| line + "\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Diagnosis {
        Diagnosis {
            name: "read-only".into(),
            line: line.into(),
            cause: "the cgroup file systems are mounted read-only, so systemd can't make its own cgroups\u{1b}[2J"
                .into(),
            fix: "make them writable".into(),
            docker: Some("--cap-add SYS_ADMIN".into()),
            podman: None,
            links: vec!["moby#42275".into()],
            only_if: Some("host.cgroups == 'v2'".into()),
        }
    }

    #[test]
    fn the_lines() {
        let two = [told("a: Read-only file system"), told("")];
        let text =
            lines(&two, Some("x\na: Read-only file system"), 4, Look { columns: Some(60), full: false }).join("\n");
        insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @r"
        if      host.cgroups == 'v2'
        why     the cgroup file systems are mounted read-only,
                so systemd can't make its own cgroups
        fix     make them writable
        docker  --cap-add SYS_ADMIN
        see     https://github.com/moby/moby/issues/42275
        │ (the log is empty)
        if      host.cgroups == 'v2'
        why     the cgroup file systems are mounted read-only,
                so systemd can't make its own cgroups
        fix     make them writable
        docker  --cap-add SYS_ADMIN
        see     https://github.com/moby/moby/issues/42275
        ");
    }

    #[test]
    fn the_commands_text() {
        let text = diagnosis(&[told("a\u{1b}]0;x\u{7}b"), told("c")], None);
        insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @r"
        │ ab
        if      host.cgroups == 'v2'
        why     the cgroup file systems are mounted read-only, so systemd can't make its own cgroups
        fix     make them writable
        docker  --cap-add SYS_ADMIN
        see     https://github.com/moby/moby/issues/42275

        │ c
        if      host.cgroups == 'v2'
        why     the cgroup file systems are mounted read-only, so systemd can't make its own cgroups
        fix     make them writable
        docker  --cap-add SYS_ADMIN
        see     https://github.com/moby/moby/issues/42275
        ");
    }
}
