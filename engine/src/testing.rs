//! Small values for the tests of several modules.

use std::time::Duration;

use crate::scenario::model::{Boot, BootExpectation, BootState, Level, Matrix, Readiness, Scenario, UnknownLines};
use crate::source::{FileId, Loc};

/// A place that nothing points to.
pub(crate) fn nowhere() -> Loc {
    Loc { file: FileId(0), span: 0..0 }
}

/// A scenario that boots and asserts that it runs.
pub(crate) fn scenario(name: &str) -> Scenario {
    Scenario {
        name: name.into(),
        loc: nowhere(),
        title: "Does it boot?".into(),
        description: String::new(),
        tags: vec![],
        fresh: false,
        host_risk: None,
        select: crate::scenario::model::Selection::Full,
        matrix: Matrix::default(),
        skip: vec![],
        layers: vec![],
        boot: Boot {
            timeout: Duration::from_secs(20),
            ready: Readiness::Console,
            before: None,
            expect: vec![BootExpectation {
                loc: nowhere(),
                when: None,
                level: Level::Fail,
                state: vec![BootState::Running],
                exit: vec![],
                checks: vec![],
            }],
            unknown_lines: UnknownLines::Warn,
            known_lines: vec![],
        },
        steps: vec![],
        normalise_rules: vec![],
        named_rules: vec![],
    }
}
