//! The pure core: texts of `images/` in, a catalogue or every error out.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::keys::{BOOTSTRAP, BUILD, IMAGE, MODE};
use super::model::{Bootstrap, Build, Catalogue, ImageDef, SetupMode};
use crate::scenario::cursor::{Cx, Fields, Item};
use crate::scenario::document::with_root;
use crate::scenario::{
    CONTAINER_PATHS, Code, Diagnostic, NOT_APPLICABLE, Scope, Sink, check_capability, rules, unsafe_name,
};
use crate::source::{FileId, Loc, Sources, Sp};

/// One folder of `images/` or `images/setup/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its name.
    pub name: String,
    /// Its `image.toml` or `mode.toml`.
    pub file: FileId,
    /// The texts beside that file, by name.
    pub beside: BTreeMap<String, String>,
}

/// Everything that was read from `images/`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folders {
    /// Base images.
    pub images: Vec<Folder>,
    /// Setup modes.
    pub setup_modes: Vec<Folder>,
    /// The text of `setup/lib.sh`; empty where there is none.
    pub setup_lib: String,
}

/// Decodes `image.toml` and `mode.toml` files.
///
/// # Errors
/// Everything that is wrong with any of them, by file and place.
pub fn parse(sources: &Sources, folders: &Folders) -> Result<Catalogue, Vec<Diagnostic>> {
    let sink = Sink::new(sources);
    let catalogue = parse_into(&sink, folders);
    let found = sink.finish();
    if found.is_empty() { Ok(catalogue) } else { Err(found) }
}

/// As [`parse`], with the errors in a sink; the names are known even where a file is wrong.
pub(crate) fn parse_into(sink: &Sink<'_>, folders: &Folders) -> Catalogue {
    let mut catalogue = Catalogue { setup_lib: folders.setup_lib.clone(), ..Catalogue::default() };
    for folder in &folders.images {
        let cx = Cx { sink, file: folder.file };
        check_name(cx, &folder.name);
        let image = with_root(cx, &IMAGE, |fields| image(fields, folder));
        catalogue.images.insert(folder.name.clone(), image);
    }
    for folder in &folders.setup_modes {
        let cx = Cx { sink, file: folder.file };
        check_name(cx, &folder.name);
        let mode = with_root(cx, &MODE, |fields| setup_mode(fields, folder));
        catalogue.setup_modes.insert(folder.name.clone(), mode);
    }
    catalogue
}

fn check_name(cx: Cx<'_>, name: &str) {
    if let Some(why) = unsafe_name(name) {
        let message = format!("the folder's name \"{name}\" {why}");
        let at = Loc { file: cx.file, span: 0..0 };
        let help = "rename it: scenarios and tags use it, so small letters, digits, `_`, `.` and `-` only";
        cx.sink.push(Diagnostic::new(Code::UnsafeName, message, &at, "in this folder").help(help));
    }
}

fn title(fields: &Fields<'_, '_>) -> String {
    let item = fields.required("title", "one line for people: title = \"Debian 12 (bookworm), systemd 252\"");
    item.and_then(|item| item.text()).map_or_else(String::new, |text| text.value)
}

fn texts(items: Vec<Sp<String>>) -> Vec<String> {
    items.into_iter().map(|item| item.value).collect()
}

/// The text of a file beside the declaration, by its name there.
fn beside<'f>(cx: Cx<'_>, folder: &'f Folder, name: &Sp<String>) -> Option<&'f String> {
    let text = folder.beside.get(&name.value);
    if text.is_none() {
        let message = format!("there is no file \"{}\" beside this one", name.value);
        let known: Vec<&str> = folder.beside.keys().map(String::as_str).collect();
        let help = match known.as_slice() {
            [] => "it must be a text file in the same folder, and there is none".to_string(),
            known => format!("the text files in this folder are {}", known.join(", ")),
        };
        cx.sink.push(Diagnostic::new(Code::BadValue, message, &name.loc, "here").help(help));
    }
    text
}

fn image(fields: &Fields<'_, '_>, folder: &Folder) -> ImageDef {
    let title = title(fields);
    let systemd = fields.required("systemd", "the major version of its systemd: systemd = 252");
    let systemd = systemd.and_then(|item| item.int(1..=9999)).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let init_item = fields.required("init", "what PID 1 runs: init = [\"/sbin/init\"]");
    let init = init_item.as_ref().map_or_else(Vec::new, |item| texts(item.strings()));
    if let Some(item) = init_item.filter(|item| item.is_list() && init.is_empty()) {
        item.bad("`init` names no program", "such as [\"/sbin/init\"]");
    }
    let stop = fields.required("stop_signal", "systemd's is \"SIGRTMIN+3\"");
    let stop_signal = stop.and_then(|item| item.text()).map_or_else(String::new, |text| text.value);
    let bootstrap = fields.get("bootstrap");
    let build_item = fields.get("build");
    if bootstrap.is_none() && build_item.is_none() {
        let help = "[bootstrap] makes the image from Debian's packages, [build] from a registry's image; one is needed";
        fields.missing("bootstrap", help);
    }
    let build = build_item.and_then(|item| build(&item, folder));
    let mut image = ImageDef {
        name: folder.name.clone(),
        title,
        systemd,
        init,
        stop_signal,
        bootstrap: bootstrap.and_then(|item| bootstrap_of(&item)),
        dockerfile: build.as_ref().and_then(|build| folder.beside.get(&build.dockerfile)).cloned(),
        build,
        content: String::new(),
    };
    image.content = content(&image);
    image
}

/// The hash of all that the made image depends on: not of comments, nor of the title.
fn content(image: &ImageDef) -> String {
    let parts = serde_json::json!({
        "name": image.name, "init": image.init, "stop_signal": image.stop_signal, "bootstrap": image.bootstrap,
        "build": image.build, "dockerfile": image.dockerfile,
    });
    format!("{:x}", Sha256::digest(parts.to_string()))
}

fn bootstrap_of(item: &Item<'_, '_>) -> Option<Bootstrap> {
    let fields = item.table(&BOOTSTRAP, "write [bootstrap] with `suite`, `variant` and `packages`")?;
    let suite = fields.required("suite", "suite = \"bookworm\"").and_then(|item| item.text());
    let variant = fields.required("variant", "mmdebstrap's: variant = \"minbase\"").and_then(|item| item.text());
    let packages = fields.required("packages", "packages = [\"systemd\", \"systemd-sysv\", \"dbus\"]");
    let bootstrap = Bootstrap {
        packages: packages.as_ref().map_or_else(Vec::new, |item| texts(item.strings())),
        options: fields.get("options").map_or_else(Vec::new, |item| texts(item.strings())),
        customise: fields.get("customise").map_or_else(Vec::new, |item| texts(item.strings())),
        suite: suite.map_or_else(String::new, |text| text.value),
        variant: variant.map_or_else(String::new, |text| text.value),
    };
    fields.finish();
    Some(bootstrap)
}

fn build(item: &Item<'_, '_>, folder: &Folder) -> Option<Build> {
    let fields = item.table(&BUILD, "write [build] with `dockerfile` and `needs`")?;
    let dockerfile = fields.required("dockerfile", "the file's name, beside this one: dockerfile = \"Dockerfile\"");
    let needs = fields.required("needs", "the image that it starts from: needs = \"docker.io/library/debian:12\"");
    let dockerfile = dockerfile.and_then(|item| item.text());
    let needs = needs.and_then(|item| item.text());
    fields.finish();
    let dockerfile = dockerfile?;
    beside(fields.cx, folder, &dockerfile);
    Some(Build { dockerfile: dockerfile.value, needs: needs?.value })
}

fn setup_mode(fields: &Fields<'_, '_>, folder: &Folder) -> SetupMode {
    let title = title(fields);
    let description = fields.get("description").and_then(|item| item.string());
    let script = fields.get("script").and_then(|item| item.text());
    let script = script.and_then(|name| beside(fields.cx, folder, &name).cloned());
    let capabilities = fields.get("capabilities").map_or_else(Vec::new, |item| item.strings());
    for capability in &capabilities {
        check_capability(fields.cx, capability);
    }
    let not_applicable = fields.get("not_applicable").map_or_else(Vec::new, |item| rules(&item, &NOT_APPLICABLE));
    let scope = Scope { axes: Vec::new(), paths: CONTAINER_PATHS, whose: "names of a mode.toml".to_string() };
    for rule in &not_applicable {
        scope.condition(fields.cx.sink, &rule.when.0);
    }
    SetupMode {
        name: folder.name.clone(),
        title,
        description: description.map_or_else(String::new, |text| text.value),
        script,
        capabilities: texts(capabilities),
        not_applicable,
    }
}
