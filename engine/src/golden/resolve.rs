//! Which file stands for a case: of those whose condition holds there, the most specific. Pure.

use std::collections::BTreeMap;

use miette::Diagnostic;
use thiserror::Error;

use super::Coordinates;
use super::name::Condition;

/// Two files that are equally specific for a case, and say different things.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("{first} and {second} are equally specific for {at}, and their texts differ")]
#[diagnostic(help("delete the one that is wrong, or record the case again"))]
pub struct Ambiguity {
    /// One file's name.
    pub first: String,
    /// The other's.
    pub second: String,
    /// The coordinates, in the form of a file name.
    pub at: String,
}

/// The condition and text of the file that stands for these coordinates, if one does.
///
/// # Errors
/// When two equally specific files hold there with different texts. Of two with the same text, the first by name is
/// taken.
pub fn resolve<'a>(
    files: &'a BTreeMap<Condition, String>,
    at: &Coordinates,
) -> Result<Option<(&'a Condition, &'a str)>, Ambiguity> {
    let mut best: Option<(&Condition, &str)> = None;
    let mut rival: Option<&Condition> = None;
    for (condition, text) in files.iter().filter(|(condition, _)| condition.matches(at)) {
        let than_best = best.map(|(found, _)| condition.specificity().cmp(&found.specificity()));
        match than_best {
            None | Some(std::cmp::Ordering::Greater) => {
                best = Some((condition, text));
                rival = None;
            }
            Some(std::cmp::Ordering::Equal) if best.is_some_and(|(_, found)| found != text) => {
                rival = rival.or(Some(condition));
            }
            Some(_) => {}
        }
    }
    match (best, rival) {
        (Some((first, _)), Some(second)) => {
            Err(Ambiguity { first: first.file_name(), second: second.file_name(), at: Condition::at(at).to_string() })
        }
        (best, _) => Ok(best),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(all: &[(&str, &str)]) -> BTreeMap<Condition, String> {
        all.iter().map(|(name, text)| (Condition::parse(name).unwrap(), text.to_string())).collect()
    }

    fn at(name: &str) -> Coordinates {
        Condition::parse(name).unwrap().single().unwrap()
    }

    #[test]
    fn the_most_specific_wins() {
        let files = files(&[("base", "b"), ("cgroups=v2", "c"), ("cgroups=v2,mode=x+y", "m")]);
        let text = |name| resolve(&files, &at(name)).unwrap().map(|(_, text)| text);
        assert_eq!(text("cgroups=v1,mode=x"), Some("b"));
        assert_eq!(text("cgroups=v2,mode=z"), Some("c"));
        assert_eq!(text("cgroups=v2,mode=y"), Some("m"));
        assert_eq!(text("base"), Some("b"));
    }

    #[test]
    fn nothing_may_match() {
        assert_eq!(resolve(&files(&[("a=1", "t")]), &at("a=2")), Ok(None));
        assert_eq!(resolve(&BTreeMap::new(), &at("a=2")), Ok(None));
    }

    #[test]
    fn equally_specific_files_are_named() {
        let files = files(&[("base", "b"), ("cgroupns=private", "p"), ("mode=rebind", "r")]);
        let error = resolve(&files, &at("cgroupns=private,mode=rebind")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cgroupns=private.txt and mode=rebind.txt are equally specific for cgroupns=private,mode=rebind, \
             and their texts differ"
        );
        assert!(resolve(&files, &at("cgroupns=host,mode=rebind")).is_ok());
    }

    #[test]
    fn a_more_specific_file_ends_an_ambiguity_and_equal_texts_are_none() {
        let mut all = files(&[("a=1", "p"), ("b=1", "r"), ("a=1,b=1", "q")]);
        assert_eq!(resolve(&all, &at("a=1,b=1")).unwrap().unwrap().1, "q");
        all.retain(|condition, _| condition.specificity() == 1);
        all.values_mut().for_each(|text| *text = "same".into());
        assert_eq!(resolve(&all, &at("a=1,b=1")).unwrap().unwrap().0.file_name(), "a=1.txt");
    }
}
