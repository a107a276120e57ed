//! `sdc-engine new`: a scenario to start from.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use miette::miette;

use super::args::NewArgs;
use super::exit::{Exit, Failure};
use super::{File, print};
use crate::scenario::unsafe_name;

const TEMPLATE: &str = include_str!("new_scenario.toml");

/// Writes the scenario; a file that is there is never touched.
pub(super) fn new(args: &NewArgs) -> Result<Exit, Failure> {
    let name = args.name.strip_suffix(".toml").unwrap_or(&args.name);
    if let Some((part, why)) = name.split('/').find_map(|part| unsafe_name(part).map(|why| (part, why))) {
        return Err(Failure::input(miette!(
            help = "such as `tmp` or `sandbox/private_tmp`: small letters, digits, `_`, `.` and `-`; `/` makes folders",
            "`{}` can't be a scenario's name: `{part}` {why}",
            args.name
        )));
    }
    if name.rsplit('/').next() == Some("defaults") {
        return Err(Failure::input(miette!(
            help = "a defaults.toml is what the scenarios of its folder share; choose another name",
            "`{}` can't be a scenario's name",
            args.name
        )));
    }
    let path = args.folder.join(format!("{name}.toml"));
    let text = TEMPLATE.replace("@NAME@", name).replace("@PATH@", &path.display().to_string());
    let directive = schema(&path).map_or_else(String::new, |schema| format!("#:schema {schema}\n"));
    write(&path, &format!("{directive}{text}"))?;
    let shown = path.display();
    print(&format!("wrote {shown}\nnext: sdc-engine lint {shown}; sdc-engine check {shown}\n"))?;
    Ok(Exit::Held)
}

/// Where the schema of scenarios is, as seen from the file, if it stands in a folder above it: editors look for it there.
fn schema(path: &Path) -> Option<String> {
    let name = Path::new(File::Scenario.schema()).file_name()?.to_str()?;
    let folders = path.ancestors().skip(1).take_while(|folder| !folder.as_os_str().is_empty());
    let above = folders.map(|folder| folder.join(name)).position(|schema| schema.is_file())?;
    Some(if above == 0 { format!("./{name}") } else { format!("{}{name}", "../".repeat(above)) })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::environment(format!("failed to write {}: {error}", path.display()));
    std::fs::create_dir_all(path.parent().map_or_else(PathBuf::new, Path::to_path_buf)).map_err(failed)?;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::input(miette!(
            help = "choose another name, or remove the file yourself",
            "{} is there already, and stays as it is",
            path.display()
        )),
        _ => failed(error),
    })?;
    file.write_all(text.as_bytes()).map_err(failed)
}
