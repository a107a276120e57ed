//! The pure core: texts of `images/hosts/` in, lab hosts or every error out.

use super::keys::{HOST, ROOT, VM};
use super::{Lab, Labs, Place, Root};
use crate::facts::{CgroupVersion, EngineKind};
use crate::host::vm::VmSpec;
use crate::scenario::cursor::{Cx, Fields, Item};
use crate::scenario::document::with_root;
use crate::scenario::{Code, Diagnostic, Sink, unsafe_name};
use crate::source::{FileId, Loc, Sources};

/// The words of `engine`.
pub(super) const ENGINES: &[(EngineKind, &str)] = &[(EngineKind::Docker, "docker"), (EngineKind::Podman, "podman")];
/// The words of `runtime`.
pub(super) const RUNTIMES: &[(&str, &str)] = &[("runc", "runc"), ("crun", "crun")];
/// The words of `cgroups`.
pub(super) const VERSIONS: &[(CgroupVersion, &str)] = &[(CgroupVersion::V1, "v1"), (CgroupVersion::V2, "v2")];

/// A file of `images/hosts/`.
pub(super) struct Declared {
    /// Its name without `.toml`.
    pub(super) name: String,
    /// Its text.
    pub(super) file: FileId,
}

/// Decodes the declarations.
///
/// # Errors
/// Everything that is wrong with any of them, by file and place.
pub(super) fn parse(sources: &Sources, declared: &[Declared]) -> Result<Labs, Vec<Diagnostic>> {
    let sink = Sink::new(sources);
    let mut labs = Labs::default();
    for Declared { name, file } in declared {
        let cx = Cx { sink: &sink, file: *file };
        if let Some(why) = unsafe_name(name) {
            let message = format!("the file's name \"{name}\" {why}");
            let at = Loc { file: *file, span: 0..0 };
            let help = "rename it: small letters, digits, `_`, `.` and `-` only";
            sink.push(Diagnostic::new(Code::UnsafeName, message, &at, "this file").help(help));
        }
        if let Some(lab) = with_root(cx, &HOST, |fields| lab(fields, name)) {
            labs.0.insert(name.clone(), lab);
        }
    }
    let found = sink.finish();
    if found.is_empty() { Ok(labs) } else { Err(found) }
}

fn text(fields: &Fields<'_, '_>, key: &'static str, help: &str) -> Option<String> {
    fields.required(key, help).and_then(|item| item.text()).map(|text| text.value)
}

fn texts(item: Option<Item<'_, '_>>) -> Vec<String> {
    item.map_or_else(Vec::new, |item| item.strings().into_iter().map(|text| text.value).collect())
}

fn lab(fields: &Fields<'_, '_>, name: &str) -> Option<Lab> {
    let title = text(fields, "title", "one line for people: title = \"docker 28 on cgroup v2\"");
    let engine = fields.required("engine", "engine = \"docker\"").and_then(|item| item.word(ENGINES));
    let runtime = fields.get("runtime").map_or(Some("runc"), |item| item.word(RUNTIMES));
    let cgroups = fields.required("cgroups", "cgroups = \"v2\"").and_then(|item| item.word(VERSIONS));
    let rootless = fields.get("rootless").map_or(Some(false), |item| item.bool());
    let (root, vm) = (fields.get("root"), fields.get("vm"));
    if let (Some(_), Some(vm)) = (&root, &vm) {
        vm.bad("a virtual machine has a root folder of its own", "keep [root] or [vm], not both");
    }
    let (engine, cgroups, rootless) = (engine?, cgroups?, rootless?);
    if rootless && (engine == EngineKind::Docker || cgroups == CgroupVersion::V1) {
        if let Some(item) = fields.get("rootless") {
            let help =
                "a rootless engine can be podman on v2: docker's needs a systemd session, and v1 can't be delegated";
            item.bad("this engine can't be started rootless", help);
        }
        return None;
    }
    let place = match (root, vm) {
        (_, Some(item)) => Place::Vm(vm_of(&item, name, engine, runtime?)?),
        (Some(item), None) => Place::Root(root_of(&item)?),
        (None, None) => Place::Machine,
    };
    Some(Lab { name: name.to_owned(), title: title?, engine, runtime: runtime?.to_owned(), cgroups, rootless, place })
}

fn root_of(item: &Item<'_, '_>) -> Option<Root> {
    let fields = item.table(&ROOT, "write [root] with `suite` and `packages`")?;
    let suite = text(&fields, "suite", "suite = \"trixie\"");
    let packages = texts(fields.required("packages", "packages = [\"docker.io\", \"runc\"]"));
    let options = texts(fields.get("options"));
    fields.finish();
    Some(Root { suite: suite?, packages, options })
}

fn vm_of(item: &Item<'_, '_>, name: &str, engine: EngineKind, runtime: &str) -> Option<VmSpec> {
    let fields = item.table(&VM, "write [vm] with `suite` and `packages`")?;
    let suite = text(&fields, "suite", "suite = \"bookworm\"");
    let packages = texts(fields.required("packages", "packages = [\"docker.io\", \"runc\"]"));
    let kernel_parameters = texts(fields.get("kernel_parameters"));
    let number = |key, default: u32, most| {
        fields.get(key).map_or(Some(default), |item| item.int(1..=most).and_then(|n| u32::try_from(n).ok()))
    };
    let (memory, cpus) = (number("memory", 1536, 1 << 20), number("cpus", 2, 64));
    fields.finish();
    Some(VmSpec {
        name: name.to_owned(),
        engine,
        runtime: runtime.to_owned(),
        suite: suite?,
        packages,
        kernel_parameters,
        memory: u64::from(memory?),
        cpus: cpus?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Labs, Vec<Diagnostic>> {
        let mut sources = Sources::default();
        let file = sources.add("images/hosts/x.toml".to_owned(), text.to_owned());
        parse(&sources, &[Declared { name: "x".into(), file }])
    }

    fn messages(text: &str) -> Vec<String> {
        one(text).expect_err("errors").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_shipped_ones_are_right() {
        let labs = super::super::load(std::path::Path::new("/nonexistent")).expect("lab hosts");
        assert_eq!(labs.0.len(), super::super::shipped::SHIPPED.len());
        let names: Vec<_> = labs.fallbacks(CgroupVersion::V2).iter().map(|lab| lab.name.as_str()).collect();
        assert_eq!(names, ["docker-v2", "podman-v2"]);
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let found = messages("engine = \"dockre\"\ncgroups = \"v3\"\nextra = 1\n");
        assert!(found.len() >= 4, "{found:?}");
        let all = found.join("\n");
        for words in ["needs `title`", "`engine` can't be \"dockre\"", "`cgroups` can't be \"v3\"", "no key `extra`"] {
            assert!(all.contains(words), "{words}: {all}");
        }
    }

    #[test]
    fn what_can_not_be_started_is_refused() {
        let found = messages("title = \"x\"\nengine = \"docker\"\ncgroups = \"v2\"\nrootless = true\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("rootless"), "{found:?}");
    }

    #[test]
    fn defaults_are_filled_in() {
        let labs = one("title = \"x\"\nengine = \"podman\"\ncgroups = \"v2\"\n").expect("a lab host");
        let lab = labs.named("x").expect("x");
        assert_eq!((lab.runtime.as_str(), lab.rootless, &lab.place), ("runc", false, &Place::Machine));
    }
}
