//! From the spanned TOML tree of one file to a [`Draft`]: types, keys, and all that a file says by itself.

mod boot;
mod container;
mod expect;
mod golden;
mod matrix;
mod step;

pub(super) use boot::{READY, UNKNOWN};
pub(super) use expect::LEVELS;
pub(super) use golden::COMPARE;
pub(super) use step::{ENGINE_WORDS, MOST_TIMES, PHASES};

use super::cursor::{Cx, Fields, Item};
use super::diagnostic::{Code, Diagnostic};
use super::document::with_root;
use super::draft::{BootDraft, Draft};
use super::keys::{DEFAULTS, NORMALISE_RULE, NORMALISE_RULES, SCENARIO, SKIP};
use super::model::{NormaliseRule, Rule, Selection};
use super::names::unsafe_name;
use super::pattern;
use crate::schema::Table;
use crate::source::Sp;

/// The words of `select`.
pub(super) const SELECT: &[(Selection, &str)] =
    &[(Selection::Full, "full"), (Selection::Pairwise, "pairwise"), (Selection::Each, "each")];

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A scenario.
    Scenario,
    /// A `defaults.toml`.
    Defaults,
}

/// Decodes one file.
pub(crate) fn file(cx: Cx<'_>, role: Role) -> Draft {
    let table = match role {
        Role::Scenario => &SCENARIO,
        Role::Defaults => &DEFAULTS,
    };
    with_root(cx, table, |fields| root(fields, role))
}

fn root(fields: &Fields<'_, '_>, role: Role) -> Draft {
    let errors = fields.cx.sink.count();
    let (mut title, mut description, mut steps) = (String::new(), None, Vec::new());
    if role == Role::Scenario {
        let item =
            fields.required("title", "the question that it answers: title = \"Which cgroups does systemd get?\"");
        title = item.and_then(|item| item.text()).map_or_else(String::new, |text| text.value);
        description = fields.get("description").and_then(|item| item.string()).map(|text| text.value);
        steps = fields.get("step").map_or_else(Vec::new, |item| step::all(&item));
    }
    let (axes, exclude, include) = fields.get("matrix").map_or_else(Default::default, |item| matrix::matrix(&item));
    let before = fields.cx.sink.count();
    let layers = fields.get("container").map_or_else(Vec::new, |item| container::layers(&item));
    let container_broken = fields.cx.sink.count() > before;
    let boot = fields.get("boot").map_or_else(BootDraft::default, |item| boot::boot(&item));
    let draft = Draft {
        loc: fields.loc(),
        inherit: fields.get("inherit").and_then(|item| item.bool()).unwrap_or(true),
        title,
        description,
        tags: tags(fields),
        fresh: fields.get("fresh").and_then(|item| item.bool()),
        select: fields.get("select").and_then(|item| item.word(SELECT)),
        host_risk: fields.get("host_risk").and_then(|item| item.text()).map(|text| text.value),
        normalise: fields.get("normalise").map(|item| item.strings()),
        rules: fields.get("normalise_rule").map_or_else(Vec::new, |item| normalise_rules(&item)),
        axes,
        exclude,
        include,
        skip: fields.get("skip").map_or_else(Vec::new, |item| rules(&item, &SKIP)),
        layers,
        container_broken,
        boot,
        steps,
    };
    if role == Role::Scenario && fields.cx.sink.count() == errors {
        normalises_something(fields, &draft);
    }
    if role == Role::Scenario && fields.get("step").is_none() && draft.boot.expect.is_none() {
        let help =
            "add a [[step]] with `name` and `run`, or say how the boot must end: [boot] expect.state = \"running\"";
        let message = "this scenario looks at nothing: it has no step and no expectation of its boot";
        fields.cx.sink.push(Diagnostic::new(Code::NoSteps, message, &fields.loc(), "in this file").help(help));
    }
    draft
}

/// Reports rules of a scenario that no golden of it will ever meet.
fn normalises_something(fields: &Fields<'_, '_>, draft: &Draft) {
    let Some(item) = fields.get("normalise") else { return };
    let mut with_golden = draft.steps.iter().filter(|draft| draft.step.goldens().next().is_some()).peekable();
    if with_golden.peek().is_none() {
        step::no_effect(&item, "is for goldens, and no step here has one", "add expect.stdout.golden = true to a step");
    } else if with_golden.all(|draft| draft.normalise.is_some()) {
        let why = "does nothing: every step with a golden has a `normalise` of its own";
        step::no_effect(&item, why, "leave out this one, or those of the steps");
    }
}

fn tags(fields: &Fields<'_, '_>) -> Vec<String> {
    let tags = fields.get("tags").map_or_else(Vec::new, |item| item.strings());
    for tag in &tags {
        if let Some(why) = unsafe_name(&tag.value) {
            let message = format!("the tag \"{}\" {why}", tag.value);
            fields.cx.sink.push(
                Diagnostic::new(Code::UnsafeName, message, &tag.loc, "here")
                    .help("tags are typed in filters: small letters, digits, `_`, `.` and `-`"),
            );
        }
    }
    tags.into_iter().map(|tag| tag.value).collect()
}

fn normalise_rules(item: &Item<'_, '_>) -> Vec<(Sp<String>, NormaliseRule)> {
    let Some(rules) = item.table(&NORMALISE_RULES, "write [normalise_rule.NAME] with `regex` and `replace`") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, item) in rules.rest() {
        let help = "write [normalise_rule.NAME] with `regex` and `replace`";
        let Some(fields) = item.table(&NORMALISE_RULE, help) else { continue };
        let regex = fields.required("regex", "what is replaced").and_then(|item| item.string());
        let replace = fields.required("replace", "by what, such as \"<TIME>\"").and_then(|item| item.string());
        fields.finish();
        let pattern = regex.and_then(|regex| {
            let hir = pattern::parse(fields.cx, &regex)?;
            if pattern::always_matches(&hir) {
                let message = "this pattern matches the empty text, so the rule would write between all letters";
                fields.cx.sink.push(
                    Diagnostic::new(Code::BadValue, message, &regex.loc, "here")
                        .help("demand at least one character, such as `+` in place of `*`"),
                );
            }
            replace.iter().for_each(|replace| pattern::replacement(fields.cx, &regex.value, replace));
            Some(regex.value)
        });
        let rule = NormaliseRule {
            name: name.value.clone(),
            regex: pattern.unwrap_or_default(),
            replace: replace.map_or_else(String::new, |text| text.value),
        };
        found.push((name, rule));
    }
    found
}

/// A list of tables with `when` and `reason`.
pub(crate) fn rules(item: &Item<'_, '_>, of: &'static Table) -> Vec<Rule> {
    let help = format!("write {} with `when` and `reason`", of.what);
    let tables = item.list("a list of tables", &help).unwrap_or_default();
    tables
        .iter()
        .filter_map(|table| {
            let fields = table.table(of, &help)?;
            let rule = rule(&fields);
            fields.finish();
            rule
        })
        .collect()
}

/// `when` and `reason`, both mandatory.
fn rule(fields: &Fields<'_, '_>) -> Option<Rule> {
    let when = fields.required("when", "the condition, such as \"host.cgroups == 'v1'\"").map(|item| item.condition());
    let help = "the report shows it for every case that is left out, so say why this can't work or makes no sense";
    let reason = fields.required("reason", help).and_then(|item| item.text());
    Some(Rule { when: when??, reason: reason?.value })
}
