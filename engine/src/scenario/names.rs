//! Names: which are safe as a file's name everywhere, and which known one was meant.

/// The known name that is nearest to an unknown one, if any is near.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&lower, &k.to_lowercase()), k))
        .filter(|(distance, k)| *distance <= (k.chars().count().max(lower.chars().count()) / 3).clamp(1, 4))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}

/// "did you mean `x`?", or else the list of all that is known.
pub(crate) fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, what: &str) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("there are no {what}"),
        None => format!("the {what} are {}", list(&known)),
    }
}

/// Two sentences of help, the first maybe a question.
pub(crate) fn and_also(first: &str, second: &str) -> String {
    let joint = if first.ends_with('?') { " " } else { "; " };
    format!("{first}{joint}{second}")
}

/// Names in backticks, joined by commas.
pub(crate) fn list<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// Why a name can't be a file's or folder's name; `None` where it can.
pub(crate) fn unsafe_name(name: &str) -> Option<&'static str> {
    let odd = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c));
    if name.is_empty() {
        Some("is empty")
    } else if name.contains("..") {
        Some("has `..`, which would leave the folder")
    } else if name.starts_with('/') {
        Some("is an absolute path")
    } else if name.contains('\\') {
        Some("has a backslash, which is a separator on other systems")
    } else if name.contains('/') {
        Some("has a `/`, and it must be a single name")
    } else if name.chars().any(|c| c.is_ascii_uppercase()) {
        Some("has capital letters, which some file systems can't tell from small ones")
    } else if name.chars().any(odd) {
        Some("has characters other than `a-z`, `0-9`, `_`, `.` and `-`")
    } else if name.starts_with(['.', '-']) || name.ends_with('.') {
        Some("starts with `.` or `-`, or ends with `.`")
    } else if name.len() > 100 {
        Some("is longer than 100 characters")
    } else {
        None
    }
}

/// Whether a text is a variable's name: what axes and captured values must have.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("titel", ["tags", "title"]), Some("title"));
        assert_eq!(nearest("cap-add", ["cap_add", "cap_drop"]), Some("cap_add"));
        assert_eq!(nearest("zebra", ["tags", "title"]), None);
        assert_eq!(suggest("zebra", ["a", "b"], "axes"), "the axes are `a`, `b`");
    }

    #[test]
    fn names_that_leave_their_folder_are_unsafe() {
        for name in ["", "..", "a..b", "/etc", "a/b", "a\\b", "A", "a b", ".a", "-a", "a.", "é"] {
            assert!(unsafe_name(name).is_some(), "{name:?}");
        }
        for name in ["a", "mounts.txt", "0-x_y"] {
            assert_eq!(unsafe_name(name), None, "{name:?}");
        }
    }
}
