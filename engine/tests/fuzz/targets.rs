//! What reads input: each target takes any bytes, and must come back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme};
use minijinja::context;
use sdc_engine::compare::{Document, Side, across, compare};
use sdc_engine::facts::{CgroupVersion, EngineKind, Facts};
use sdc_engine::golden::{Condition, folder, name, record};
use sdc_engine::images::{Catalogue, Folder, Folders};
use sdc_engine::matrix::Filters;
use sdc_engine::observe::normalise::{Form, Normaliser};
use sdc_engine::observe::{captures, console, escape};
use sdc_engine::plan::{Inputs, plan};
use sdc_engine::report::page::{Source, html, markdown, page};
use sdc_engine::scenario::model::{Compare, NormaliseRule, TableForm};
use sdc_engine::scenario::{Diagnostic, Input, LoadError, Templates, parse};
use sdc_engine::source::Sources;
use walkdir::WalkDir;

/// Takes one input.
pub(crate) type Run = Box<dyn Fn(&[u8])>;

/// One kind of input.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Makes what runs an input.
    pub(crate) run: fn() -> Run,
    /// Files and folders besides `corpus/<name>/`, and how they end.
    pub(crate) also: &'static [(&'static str, &'static str)],
}

pub(crate) const ALL: &[Target] = &[
    Target { name: "scenario", run: scenario, also: &[("../scenarios", "toml"), ("tests/bad", "toml")] },
    Target { name: "images", run: images, also: &[("../images", "toml"), ("tests/images", "toml")] },
    Target { name: "template", run: template, also: &[] },
    Target { name: "regex", run: regex, also: &[] },
    Target { name: "console", run: console, also: &[("src/observe/testdata", "log")] },
    Target { name: "golden_name", run: golden_name, also: &[] },
    Target { name: "recorded", run: recorded, also: &[("../golden/exec", "recorded.toml")] },
    Target { name: "table", run: table, also: &[("../golden/cgroups/mounts", "base.txt")] },
    Target { name: "report", run: report, also: &[("tests/compare", "json")] },
    Target { name: "pending", run: pending, also: &[] },
];

impl Target {
    /// The corpus, in a fixed order.
    pub(crate) fn seeds(&self) -> Vec<Vec<u8>> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let own = (format!("tests/fuzz/corpus/{}", self.name), "");
        let also = self.also.iter().map(|(folder, end)| ((*folder).to_owned(), *end));
        let mut files: Vec<PathBuf> = Vec::new();
        for (folder, end) in std::iter::once(own).chain(also) {
            let entries = WalkDir::new(here.join(folder)).sort_by_file_name().into_iter().filter_map(Result::ok);
            let wanted = entries.filter(|entry| entry.file_type().is_file());
            files.extend(
                wanted.map(|entry| entry.into_path()).filter(|path| path.to_string_lossy().ends_with(end)).take(60),
            );
        }
        files.iter().map(|path| fs::read(path).unwrap()).collect()
    }
}

/// Renders a report as the terminal would get it.
fn show(diagnostics: Vec<Diagnostic>) {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut text = String::new();
    handler.render_report(&mut text, &LoadError { diagnostics }).unwrap();
}

fn catalogue(folder: &str) -> Catalogue {
    sdc_engine::images::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap()
}

/// A scenario alone, and below a `defaults.toml` of the same text: read, checked, expanded, rendered.
fn scenario() -> Run {
    let catalogue = catalogue("../images");
    let hosts = [(EngineKind::Docker, CgroupVersion::V1), (EngineKind::Podman, CgroupVersion::V2)];
    let hosts = hosts.map(|(engine, cgroups)| Facts { engine, cgroups, ..Facts::assumed() });
    Box::new(move |input| {
        let Ok(text) = str::from_utf8(input) else { return };
        for below_itself in [false, true] {
            let mut sources = Sources::default();
            let defaults = if below_itself { vec![sources.add("defaults.toml", text)] } else { vec![] };
            let file = sources.add("a.toml", text);
            let inputs = [Input { name: "a".to_owned(), file, defaults }];
            let scenarios = match parse(&sources, &inputs, &catalogue) {
                Ok(scenarios) => scenarios,
                Err(found) => {
                    show(found);
                    continue;
                }
            };
            for facts in &hosts {
                let (sources, catalogue, filters) = (&sources, &catalogue, &Filters::default());
                let planned = plan(&scenarios, Inputs { sources, catalogue, facts, filters, max_cases: 100 });
                for error in planned.err().into_iter().flatten() {
                    assert!(sources.get(error.loc.file).text.get(error.loc.span.clone()).is_some(), "{error:?}");
                }
            }
        }
    })
}

/// An `image.toml` and a `mode.toml`.
fn images() -> Run {
    Box::new(|input| {
        let Ok(text) = str::from_utf8(input) else { return };
        let mut sources = Sources::default();
        let file = sources.add("x.toml", text);
        let beside = BTreeMap::from(["Dockerfile", "setup.sh"].map(|name| (name.to_owned(), text.to_owned())));
        let folder = || vec![Folder { name: "x".to_owned(), file, beside: beside.clone() }];
        for folders in [
            Folders { images: folder(), ..Folders::default() },
            Folders { setup_modes: folder(), ..Folders::default() },
        ] {
            if let Err(found) = sdc_engine::images::parse(&sources, &folders) {
                show(found);
            }
        }
    })
}

fn template() -> Run {
    let templates = Templates::new();
    Box::new(move |input| {
        let Ok(text) = str::from_utf8(input) else { return };
        let values =
            context! { a => "x", n => 3, host => context! { cgroups => "v2", controllers => ["cpu", "pids"] } };
        let check = |range: Option<std::ops::Range<usize>>| {
            // An error points into the text, or nowhere.
            assert!(range.is_none_or(|range| range.start <= range.end && range.end <= text.len()), "{text:?}");
        };
        check(templates.render(text, &values).err().and_then(|error| error.range));
        check(templates.holds(text, &values).err().and_then(|error| error.range));
        check(templates.names(text).err().and_then(|error| error.range));
        check(templates.condition_names(text).err().and_then(|error| error.range));
        templates.unknown_operators(text).into_iter().for_each(|(_, range)| check(Some(range)));
    })
}

/// Patterns, on a text of their own making; what stands before the first line end is the pattern.
fn regex() -> Run {
    Box::new(|input| {
        let text = String::from_utf8_lossy(input);
        let (pattern, on) = text.split_once('\n').unwrap_or((&text, &text));
        let _either = captures::capture(pattern, on);
        let known = BTreeMap::from([("a".to_owned(), on.to_owned())]);
        let _either = (captures::substitute(pattern, &known), captures::substitute_word(pattern, &known));
        if let Ok(pattern) = captures::substitute_regex(pattern, &known) {
            let _either = captures::capture(&pattern, on);
        }
        let rule = NormaliseRule { name: "own".into(), regex: pattern.to_owned(), replace: "$1-${2}-<x>".into() };
        if let Ok(rules) = Normaliser::new(&["own".into(), "ids".into()], &[rule]) {
            let _any = rules.apply(on);
        }
    })
}

/// A console's bytes, whole and in pieces, and everything that is read out of them.
fn console() -> Run {
    let (rules, form) = (Normaliser::builtin(), Form::builtin());
    Box::new(move |input| {
        let mut reader = console::ConsoleReader::new(1 << 12);
        let mut signals = reader.feed(input);
        signals.extend(reader.finish());
        let mut again = console::ConsoleReader::new(1 << 12);
        let mut others: Vec<_> = input.chunks(7).flat_map(|chunk| again.feed(chunk)).collect();
        others.extend(again.finish());
        assert_eq!(format!("{signals:?}"), format!("{others:?}"));
        assert_eq!((reader.raw(), reader.text()), (again.raw(), again.text()));
        let text = escape::text(input);
        assert_eq!(escape::bytes(&text), input);
        let plain = console::plain(&text);
        assert!(!plain.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{plain:?}");
        let _any = (console::deciding_line(&plain, true), console::unknown_lines(&plain, &[]));
        let once = rules.apply(&text).text;
        assert_eq!(rules.apply(&once).text, once);
        form.apply(&text).unwrap();
        form.trace(&text).unwrap();
        let _any = sdc_engine::report::plain_log(&text);
    })
}

/// Names of golden files and folders: what is read is written the same.
fn golden_name() -> Run {
    Box::new(|input| {
        let Ok(text) = str::from_utf8(input) else { return };
        if let Ok(condition) = Condition::from_file_name(text) {
            assert_eq!(condition.file_name(), text);
            assert!(!text.contains('/') && text != "..");
        }
        let _either = Condition::parse(text);
        assert_eq!(name::decode(&name::encode(text)).as_deref(), Ok(text));
        let _either = name::decode(text);
        if let Ok(Some(key)) = folder::key(text) {
            assert!(!text.split('/').any(|part| part == ".." || part == "." || part.is_empty()), "{text:?}");
            assert!(folder::path(&key).is_ok_and(|path| path == text), "{text:?}");
        }
    })
}

fn recorded() -> Run {
    Box::new(|input| {
        let Ok(text) = str::from_utf8(input) else { return };
        match record::read("recorded.toml", text) {
            Ok(groups) => {
                assert_eq!(record::read("recorded.toml", &record::write(&groups)).unwrap().len(), groups.len())
            }
            Err(faults) => {
                for fault in faults {
                    let report = miette::Report::new(fault);
                    let _shown = format!("{report:?}");
                }
            }
        }
    })
}

/// Goldens of every form.
fn table() -> Run {
    let names: Vec<String> = ["ansi", "ids", "sizes"].map(ToOwned::to_owned).into();
    let compare = [Compare::Unordered, Compare::Table(TableForm::default())];
    let forms = compare.map(|compare| Form::new(&names, &[], compare).unwrap());
    Box::new(move |input| {
        let text = escape::text(input);
        for form in &forms {
            let _any = form.recorded(&text);
            let _either = form.trace(&text);
            if let Ok(once) = form.apply(&text) {
                assert_eq!(form.recorded(&once.text), once.text);
            }
        }
    })
}

fn report() -> Run {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare/after.json");
    let after = serde_json::from_slice(&fs::read(here).unwrap()).unwrap();
    let other = Side::read("b", after, None).unwrap();
    Box::new(move |input| {
        let Ok(document) = serde_json::from_slice::<serde_json::Value>(input) else { return };
        if let Ok(document) = Document::read(document.clone()) {
            let sources = ["a", "b"].map(|name| Source { name: name.to_owned(), document: document.clone() });
            if let Ok(page) = page(&sources) {
                assert!(html(&page).unwrap().matches("</script").count() == 2);
                let _any = markdown(&page);
            }
        }
        for host in [None, Some("docker-v1")] {
            let Ok(side) = Side::read("a", document.clone(), host) else { continue };
            let _any = compare(&side, &other);
            let (side, other) = across(&side, &other, "cgroup_mode");
            let _any = compare(&side, &other);
        }
    })
}

fn pending() -> Run {
    let folder = tempfile::tempdir().unwrap();
    Box::new(move |input| {
        fs::write(folder.path().join("pending.json"), input).unwrap();
        if let Ok(pending) = sdc_engine::pending::store::read(folder.path()) {
            let store = sdc_engine::golden::GoldenStore::default();
            let _either = sdc_engine::pending::present(&pending, &store, |_| None);
        }
    })
}
