//! Scenario files that are right: names, defaults, and what a file comes to; and that no text makes the loader panic.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use sdc_engine::images::Catalogue;
use sdc_engine::scenario::model::{
    Action, Ask, AxisValue, BootState, Compare, EngineAction, ExitSpec, Golden, Layer, Level, List, Map, Phase,
    Readiness, Repeat, Scalar, Scenario, SetRelation, Stream, TableForm, UnknownLines,
};
use sdc_engine::scenario::{Input, LoadError, Loaded, load, parse};
use sdc_engine::source::Sources;

/// A folder of files, by path and text.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            let path = tree.path(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        tree
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn load(&self, roots: &[&str]) -> Result<Loaded, LoadError> {
        let roots: Vec<PathBuf> = roots.iter().map(|root| self.path(root)).collect();
        load(&roots, Path::new("tests/images"))
    }

    fn names(&self, roots: &[&str]) -> Vec<String> {
        let loaded = self.load(roots).unwrap_or_else(|e| panic!("{e}: {:#?}", e.diagnostics));
        loaded.scenarios.into_iter().map(|s| s.name).collect()
    }

    fn messages(&self, roots: &[&str]) -> Vec<String> {
        self.load(roots).map(|_| ()).unwrap_err().diagnostics.into_iter().map(|d| d.message).collect()
    }
}

const SMALL: &str = "title = 'x'\ncontainer.image = 'debian-12'\nstep = [{ name = 'a', run = 'true' }]\n";

/// Parses one scenario with the defaults above it, outermost first.
fn parsed(defaults: &[&str], text: &str) -> Scenario {
    let mut sources = Sources::default();
    let defaults =
        defaults.iter().enumerate().map(|(n, text)| sources.add(format!("{n}/defaults.toml"), *text)).collect();
    let file = sources.add("s.toml", text);
    let mut scenarios = parse(&sources, &[Input { name: "s".into(), file, defaults }], &catalogue())
        .unwrap_or_else(|found| panic!("{found:#?}"));
    scenarios.remove(0)
}

fn catalogue() -> Catalogue {
    sdc_engine::images::load(Path::new("tests/images")).unwrap()
}

fn scalar(layer: &Layer, key: Scalar) -> Option<&str> {
    layer.scalars.get(&key).map(|template| template.0.value.as_str())
}

fn list(layer: &Layer, key: List) -> Vec<&str> {
    layer.lists.get(&key).into_iter().flatten().map(|template| template.0.value.as_str()).collect()
}

#[test]
fn a_name_does_not_depend_on_how_much_was_asked_for() {
    let tree = Tree::new(&[("scenarios/cgroups/mounts.toml", SMALL), ("scenarios/boot.toml", SMALL)]);
    assert_eq!(tree.names(&["."]), ["boot", "cgroups/mounts"]);
    assert_eq!(tree.names(&["scenarios"]), ["boot", "cgroups/mounts"]);
    assert_eq!(tree.names(&["scenarios/cgroups"]), ["cgroups/mounts"]);
    assert_eq!(tree.names(&["scenarios/cgroups/mounts.toml"]), ["cgroups/mounts"]);
    assert_eq!(tree.names(&["scenarios/cgroups/../boot.toml"]), ["boot"]);
}

#[test]
fn without_a_folder_called_scenarios_names_start_at_the_topmost_defaults() {
    let defaults = "tags = ['x']\n";
    let tree = Tree::new(&[
        ("mine/defaults.toml", defaults),
        ("mine/a/b.toml", SMALL),
        ("mine/a/defaults.toml", defaults),
        ("other/c/d.toml", SMALL),
    ]);
    assert_eq!(tree.names(&["mine/a/b.toml"]), ["a/b"]);
    assert_eq!(tree.names(&["mine"]), ["a/b"]);
    assert_eq!(tree.names(&["other/c/d.toml"]), ["d"]);
    assert_eq!(tree.names(&["other"]), ["c/d"]);
}

#[test]
fn a_file_named_twice_is_read_once_and_hidden_ones_are_not_read() {
    let tree = Tree::new(&[
        ("scenarios/a.toml", SMALL),
        ("scenarios/.b.toml", "no toml"),
        ("scenarios/.git/c.toml", "no toml"),
        ("scenarios/readme.md", "no toml"),
    ]);
    assert_eq!(tree.names(&["scenarios", "scenarios/a.toml", "scenarios/."]), ["a"]);
}

#[test]
fn nothing_to_run_is_an_error() {
    let tree = Tree::new(&[("scenarios/readme.md", ""), ("scenarios/defaults.toml", ""), ("other/a.txt", SMALL)]);
    assert!(tree.messages(&["scenarios"])[0].starts_with("no scenario was found in "));
    assert!(tree.messages(&["absent"])[0].starts_with("failed to read "));
    assert!(tree.messages(&["other/a.txt"])[0].ends_with(" is no scenario"));
    assert!(tree.messages(&["scenarios/defaults.toml"])[0].ends_with(" is no scenario"));
    let images = load(&[tree.path("scenarios")], &tree.path("absent")).unwrap_err();
    assert!(images.diagnostics.iter().any(|d| d.path.ends_with("absent")), "{images:?}");
    let images = Tree::new(&[("scenarios/a.toml", SMALL)]);
    let error = load(&[images.path("scenarios")], &images.path("absent")).unwrap_err();
    assert_eq!(error.diagnostics.len(), 1, "an unknown image is not reported where none is known: {error:?}");
}

#[test]
fn two_scenarios_with_one_name_are_an_error_that_names_both() {
    let tree = Tree::new(&[("a/scenarios/x.toml", SMALL), ("b/scenarios/x.toml", SMALL)]);
    let error = tree.load(&["a", "b"]).unwrap_err();
    assert_eq!(error.diagnostics[0].message, "two scenarios are called `x`");
    assert!(error.diagnostics[0].help.as_ref().unwrap().contains("a/scenarios/x.toml:1"), "{error:?}");
}

#[test]
fn what_a_file_leaves_open_has_a_default() {
    let scenario = parsed(&[], SMALL);
    assert_eq!(scenario.title, "x");
    assert!(!scenario.fresh && scenario.matrix.axes.is_empty() && scenario.skip.is_empty());
    assert_eq!(scalar(&scenario.layers[0], Scalar::SetupMode), Some("default"));
    assert_eq!(scalar(&scenario.layers[1], Scalar::Image), Some("debian-12"));
    assert_eq!(scenario.boot.timeout, Duration::from_secs(20));
    assert_eq!(scenario.boot.ready, Readiness::Console);
    assert_eq!(scenario.boot.unknown_lines, UnknownLines::Warn);
    assert_eq!(scenario.boot.expect[0].state, [BootState::Running]);
    let step = &scenario.steps[0];
    assert_eq!((step.at, step.background, step.changes), (Phase::Ready, false, false));
    assert_eq!(step.timeout, Duration::from_secs(10));
    assert_eq!(step.normalise, ["ansi", "ids"]);
    assert!(step.expect.is_empty());
}

#[test]
fn defaults_lie_below_a_scenario() {
    let outer = "
        tags = ['all']
        normalise = ['times']
        [matrix]
        mode = ['a', 'b']
        gone = [1]
        last = [true]
        [[matrix.exclude]]
        when = \"mode == 'a' and host.rootless\"
        reason = 'outer'
        [[skip]]
        when = 'host.rootless'
        reason = 'outer'
        [container]
        image = 'debian-12'
        cap_add = ['SYS_ADMIN']
        [[container.when]]
        if = \"mode == 'b'\"
        tmpfs = ['/tmp']
        [boot]
        timeout = '1m'
        unknown_lines = 'fail'
        known_lines = ['outer']
        expect.state = 'degraded'
        [normalise_rule.own]
        regex = 'x'
        replace = 'y'
    ";
    let scenario = parsed(
        &[outer],
        "
        title = 't'
        tags = ['mine', 'all']
        [matrix]
        mode = ['c', { value = 'b', when = 'host.rootless', reason = 'r' }]
        gone = []
        own = [1]
        [[skip]]
        when = \"mode == 'c'\"
        reason = 'mine'
        [container]
        setup_mode = 'rebind'
        env = { A = 1 }
        [boot]
        timeout = '2s'
        known_lines = ['mine']
        expect = [{ state = ['exited', 'refused'], when = \"mode == 'c'\" }, { console.contains = 'x', level = 'warn' }]
        [[step]]
        name = 'a'
        run = ['true', '${{ mode }}']
        normalise = ['own']
        expect.stdout.golden = true
        ",
    );
    assert_eq!(scenario.tags, ["all", "mine"]);
    assert_eq!(scenario.matrix.axes.keys().map(|axis| axis.as_str()).collect::<Vec<_>>(), ["mode", "last", "own"]);
    assert_eq!(scenario.matrix.axes["mode"][0].value, AxisValue::Str("c".into()));
    assert_eq!(scenario.matrix.axes["mode"][1].only.as_ref().unwrap().reason, "r");
    assert_eq!(scenario.matrix.exclude.len(), 1);
    assert_eq!(scenario.skip.iter().map(|rule| rule.reason.as_str()).collect::<Vec<_>>(), ["outer", "mine"]);
    assert_eq!(scenario.layers.len(), 3);
    assert_eq!(list(&scenario.layers[0], List::CapAdd), ["SYS_ADMIN"]);
    assert_eq!(list(&scenario.layers[1], List::Tmpfs), ["/tmp"]);
    assert!(scenario.layers[1].when.is_some() && scenario.layers[2].when.is_none());
    assert_eq!(scenario.layers[2].maps[&Map::Env]["A"].0.value, "1");
    assert_eq!(scenario.boot.timeout, Duration::from_secs(2));
    assert_eq!(scenario.boot.unknown_lines, UnknownLines::Fail);
    assert_eq!(scenario.boot.known_lines.len(), 2);
    assert_eq!(scenario.boot.expect.len(), 2);
    assert_eq!(scenario.boot.expect[1].level, Level::Warn);
    assert_eq!(scenario.steps[0].normalise, ["own"]);
    assert_eq!(scenario.normalise_rules[0].name, "own");
}

#[test]
fn inherit_false_drops_what_lies_outside() {
    let outer = "tags = ['outer']\n";
    let inner = "inherit = false\ntags = ['inner']\n";
    assert_eq!(parsed(&[outer, inner], SMALL).tags, ["inner"]);
    assert_eq!(parsed(&[outer, inner], &format!("inherit = false\n{SMALL}")).tags, Vec::<String>::new());
    assert_eq!(parsed(&[outer, "tags = ['x']"], SMALL).tags, ["outer", "x"]);
}

#[test]
fn steps_say_more_than_one_command() {
    let scenario = parsed(
        &[],
        r#"
        title = "t"
        container = { image = "debian-12", tty = false, privileged = true, cpus = 0.5, pids_limit = 9 }
        boot = { timeout = "30s", ready = "exec", before = "sleep 1" }

        [[step]]
        name = "early"
        at = "boot"
        run = "true"
        repeat = { for = "2s" }
        expect.exit = "any"
        expect.stdout.lines = { min = 1 }

        [[step]]
        name = "pid"
        run = "systemctl show -p MainPID x"
        capture.pid = '=(\d+)$'
        wait = { limit = "5s" }
        expect = [
            { exit = [0, 3], stdout.set = { at_least = ["a"], none_of = ["b", "c"] } },
            { when = "host.rootless", level = "warn", exit = "nonzero", stderr.not_regex = ["x", "y"] },
        ]

        [[step]]
        name = "spam"
        run = ["kill", "-0", "@{pid}"]
        user = 1000
        repeat.times = 5
        expect.console.contains = "@{pid}"

        [[step]]
        name = "left"
        run = "sleep 99"
        background = true

        [[step]]
        name = "again"
        engine = "restart"
        grace = "3s"

        [[step]]
        name = "kill"
        engine = "kill"
        signal = "SIGRTMIN+4"
        expect.stdout.golden = "killed"
        "#,
    );
    let [early, pid, spam, left, again, kill] = scenario.steps.as_slice() else { panic!("{}", scenario.steps.len()) };
    assert_eq!((early.at, early.repeat), (Phase::Boot, Some(Repeat::For(Duration::from_secs(2)))));
    assert_eq!(early.expect[0].exit, Some(ExitSpec::Any));
    assert_eq!(early.expect[0].checks[0].ask, Ask::Lines(1, None));
    assert_eq!(pid.capture[0].name, "pid");
    assert_eq!(pid.wait.unwrap().every, Duration::from_millis(200));
    assert_eq!(pid.expect[0].exit, Some(ExitSpec::OneOf(vec![0, 3])));
    assert!(matches!(&pid.expect[0].checks[1].ask, Ask::Set(SetRelation::NoneOf, words) if words.len() == 2));
    assert_eq!((pid.expect[1].checks.len(), pid.expect[1].checks[0].stream), (2, Stream::Stderr));
    assert_eq!((spam.repeat, spam.user.as_ref().unwrap().0.value.as_str()), (Some(Repeat::Times(5)), "1000"));
    assert!(matches!(&spam.action, Action::Argv(items) if items.len() == 3));
    assert!(left.background && left.changes);
    assert_eq!(again.action, Action::Engine(EngineAction::Restart { grace: Duration::from_secs(3) }));
    assert!(again.changes);
    assert_eq!(again.timeout, Duration::from_secs(43), "its own ten seconds, the grace and the boot");
    assert_eq!(kill.expect[0].checks[0].ask, Ask::Golden(Golden { name: "killed".into(), compare: Compare::Exact }));
}

#[test]
fn what_counts_of_a_golden() {
    let scenario = parsed(
        &[],
        "
        title = 't'
        container.image = 'debian-12'
        step = [
            { name = 'a', run = 'a', expect.stdout.golden = true },
            { name = 'b', run = 'b', expect.stdout.golden = { compare = 'unordered' } },
            { name = 'c', run = 'c', expect.stdout.golden = { name = 'x', compare = 'table' } },
            { name = 'd', run = 'd', expect.stderr.golden = { compare = 'table', columns = ['B', 'Mounted  on'], sort_rows = true } },
        ]
        ",
    );
    let goldens: Vec<_> =
        scenario.steps.iter().flat_map(|step| step.goldens()).map(|(_, golden)| golden.clone()).collect();
    let golden = |name: &str, compare: Compare| Golden { name: name.into(), compare };
    let columns = vec!["B".to_owned(), "Mounted on".to_owned()];
    assert_eq!(
        goldens,
        [
            golden("a", Compare::Exact),
            golden("b", Compare::Unordered),
            golden("x", Compare::Table(TableForm::default())),
            golden("d", Compare::Table(TableForm { columns, sort_rows: true })),
        ]
    );
}

#[test]
fn rules_that_the_file_itself_names_are_known_with_their_steps() {
    let outer = "normalise = ['ansi']\n[normalise_rule.shared]\nregex = 'x'\nreplace = 'y'\n";
    let text = "
        title = 't'
        container.image = 'debian-12'
        step = [
            { name = 'a', run = 'a', expect.stdout.golden = true },
            { name = 'b', run = 'b', normalise = ['shared', 'pids'], expect.stdout.golden = true },
            { name = 'c', run = 'c' },
            { name = 'd', run = 'd', expect.stderr.golden = true },
        ]
        ";
    let named = |scenario: &Scenario| -> Vec<String> {
        scenario.named_rules.iter().map(|rule| format!("{} for {}", rule.name.value, rule.steps.join("+"))).collect()
    };
    assert_eq!(named(&parsed(&[outer], text)), ["shared for b", "pids for b"], "what is inherited is not named here");
    let own = parsed(&[outer], &format!("normalise = ['ids']\n{text}"));
    assert_eq!(named(&own), ["ids for a+d", "shared for b", "pids for b"]);
}

#[test]
fn images_and_setup_modes_are_read() {
    let catalogue = catalogue();
    let image = &catalogue.images["debian-12"];
    assert_eq!((image.systemd, image.init.as_slice()), (252, ["/sbin/init".to_string()].as_slice()));
    assert_eq!(image.dockerfile.as_deref(), Some("FROM docker.io/library/debian:12\n"));
    assert_eq!(image.content.len(), 64);
    assert_eq!(catalogue.setup_modes["default"].script, None);
    let rebind = &catalogue.setup_modes["rebind"];
    assert!(rebind.script.as_ref().unwrap().starts_with("#!/bin/sh"));
    assert_eq!((rebind.capabilities.len(), rebind.not_applicable.len()), (1, 1));
    assert_eq!(catalogue.setup_lib, "# shared\n");
}

#[test]
fn the_content_of_an_image_changes_with_what_it_is_made_of_alone() {
    let image = |title: &str, dockerfile: &str| {
        let text = format!(
            "title = '{title}'\nsystemd = 252\ninit = ['/sbin/init']\nstop_signal = 'SIGRTMIN+3'\n\
             build = {{ dockerfile = 'Dockerfile', needs = 'x' }}\n"
        );
        let tree = Tree::new(&[("i/image.toml", &text), ("i/Dockerfile", dockerfile)]);
        sdc_engine::images::load(&tree.path("")).unwrap().images["i"].content.clone()
    };
    assert_eq!(image("a", "FROM x"), image("b", "FROM x"));
    assert_ne!(image("a", "FROM x"), image("a", "FROM y"));
}

/// A scenario with a bit of everything.
const RICH: &str = r#"title = "Wörter"
tags = ["x"]
[matrix]
mode = ["a", { value = "b", when = "host.cgroups == 'v1'", reason = "é" }]
[[matrix.exclude]]
when = "mode == 'a' and host.rootless"
reason = "no"
[container]
image = "debian-12"
hostname = "${{ 'x' if mode is eq('a') else mode | upper }}"
tmpfs = ["/run:size=1m"]
[[container.when]]
if = "mode != 'a'"
cap_add = ["SYS_ADMIN"]
[boot]
timeout = "1m 20s"
expect.console.regex = "\\bé\u00e9+$"
[[step]]
name = "a"
run = """
  echo @{x} \
    y"""
[[step]]
name = "b"
run = ["a", '${{ host.name }}']
capture.pid = '^(\d+)'
wait = { limit = "5s" }
expect = [{ exit = [0, 1], stdout = { lines = { min = 1 }, set.at_least = ["a"] } }]
"#;

#[test]
fn no_text_makes_the_parser_panic() {
    let catalogue = catalogue();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    let check = |text: &str, render: bool| {
        let mut sources = Sources::default();
        let file = sources.add("s.toml", text);
        let defaults = vec![sources.add("defaults.toml", "[matrix]\nmode = ['z']\n")];
        let input = Input { name: "s".into(), file, defaults };
        if let Err(diagnostics) = parse(&sources, &[input], &catalogue) {
            assert!(diagnostics.iter().all(|d| d.help.is_some()), "{text}\n{diagnostics:#?}");
            let mut report = String::new();
            if render {
                handler.render_report(&mut report, &LoadError { diagnostics }).unwrap();
            }
        }
    };
    let places: Vec<usize> = RICH.char_indices().map(|(at, _)| at).collect();
    for (n, at) in places.iter().enumerate() {
        let render = n % 8 == 0;
        let after = places.get(n + 1).copied().unwrap_or(RICH.len());
        let other = ["\"", "é", "}", "\\", "[", "{", "0", "\n", "${{", "@{"][n % 10];
        match n % 3 {
            0 => check(&RICH[..*at], render),
            1 => check(&format!("{}{}", &RICH[..*at], &RICH[after..]), render),
            _ => check(&format!("{}{other}{}", &RICH[..*at], &RICH[*at..]), render),
        }
        check(&format!("{}{other}{}", &RICH[..*at], &RICH[after..]), render);
    }
}
