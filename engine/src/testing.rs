//! Small values for the tests of several modules.

use std::time::Duration;

use crate::plan::{self, BootSpec, CaseId, CasePlan, ContainerSpec, Risk};
use crate::scenario::model::{
    Boot, BootExpectation, BootState, Level, Matrix, Point, Readiness, Scenario, UnknownLines,
};
use crate::shared::Shared;
use crate::source::{FileId, Loc, Place};

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

/// A case that boots to `running`, and has no steps.
pub(crate) fn case(id: &str) -> CasePlan {
    CasePlan {
        id: CaseId(id.to_owned()),
        scenario: id.split('[').next().unwrap_or_default().into(),
        title: "Does it boot?".into(),
        tags: Shared::default(),
        point: Point::new(),
        container: ContainerSpec::default().into(),
        boot: BootSpec { timeout: Duration::from_secs(20), ready: Readiness::Console, before: None },
        boot_expect: vec![plan::BootExpectation {
            place: Place { file: "scenarios/s.toml".into(), line: 3 },
            level: Level::Fail,
            state: vec![BootState::Running],
            exit: vec![],
            checks: vec![],
        }]
        .into(),
        unknown_lines: UnknownLines::Warn,
        known_lines: Shared::default(),
        steps: vec![],
        normalise_rules: Shared::default(),
        solo: false,
        risk: Risk::None.into(),
    }
}
