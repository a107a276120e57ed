//! What a case is, in a few letters: two that are rendered alike have the same. Pure.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::model::CasePlan;

/// A SHA-256 of a rendered case, without the places where its expectations are written: a comment more, or the same files in
/// another folder, make no other case.
#[must_use]
pub fn digest(case: &CasePlan) -> String {
    // All of it can be said in JSON: texts, numbers, and maps with texts as keys.
    let mut value = serde_json::to_value(case).unwrap_or_default();
    without_places(&mut value);
    sha256(&value.to_string())
}

fn without_places(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_places),
        Value::Object(fields) => {
            // An environment may have a variable of that name: only ours are places.
            fields.retain(|name, value| name != "place" || !value.is_object());
            fields.values_mut().for_each(without_places);
        }
        _ => {}
    }
}

/// A text's SHA-256, in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Place;
    use crate::testing;

    #[test]
    fn it_changes_with_all_but_places() {
        let case = |change: fn(&mut CasePlan)| {
            let mut case = testing::case("s[n=1]");
            case.container.env.insert("place".into(), "here".into());
            change(&mut case);
            digest(&case)
        };
        let same = case(|_| {});
        assert_eq!(case(|case| case.boot_expect[0].place = Place { file: "/x/s.toml".into(), line: 9 }), same);
        assert_ne!(case(|case| case.boot_expect[0].exit = vec![1]), same);
        assert_ne!(case(|case| drop(case.container.env.insert("place".into(), "there".into()))), same);
        assert_ne!(case(|case| case.title.push('?')), same);
    }
}
