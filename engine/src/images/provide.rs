//! Makes the images that a run needs, in a host's store: present, built from a registry's, or bootstrapped from
//! Debian's packages. The one file of `images` besides `load` that touches anything outside.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::{Bootstrap, ImageDef};
use crate::host::{Host, HostError};

/// Why an image can't be had on this host: every way that was tried. A reason to skip, no failure of a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the image {name} can't be had: {}", .tried.join("; "))]
pub struct CantProvide {
    /// Our name for the image.
    pub name: String,
    /// Each way and why it failed.
    pub tried: Vec<String>,
}

/// Where root file systems are kept, so that each is bootstrapped once for all engines.
#[must_use]
pub fn cache_folder(xdg_cache: Option<PathBuf>, home: Option<PathBuf>) -> PathBuf {
    let base = xdg_cache.or_else(|| home.map(|home| home.join(".cache"))).unwrap_or_else(|| "/var/cache".into());
    base.join("sdc-engine").join("images")
}

/// The root file system that is kept for an image.
#[must_use]
pub fn cached_root(cache: &Path, image: &ImageDef) -> PathBuf {
    cache.join(format!("{}-{}.tar", image.name, &image.content[..12.min(image.content.len())]))
}

/// An image that a host has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provided {
    /// Its tag.
    pub tag: String,
    /// The engine's id of it.
    pub id: String,
    /// Whether it was made now.
    pub new: bool,
}

/// Sees to it that a host has an image. `say` is told of what takes long.
///
/// # Errors
/// With every way that was tried.
pub async fn provide(
    host: &dyn Host,
    image: &ImageDef,
    cache: &Path,
    say: &(dyn Fn(String) + Send + Sync),
) -> Result<Provided, CantProvide> {
    let tag = image.tag();
    let mut tried = Vec::new();
    match host.image(&tag).await {
        Ok(Some(id)) => return Ok(Provided { tag, id, new: false }),
        Ok(None) => {}
        Err(error) => return Err(CantProvide { name: image.name.clone(), tried: vec![error.to_string()] }),
    }
    let kept = cached_root(cache, image);
    if !kept.exists() {
        if let (Some(build), Some(dockerfile)) = (&image.build, &image.dockerfile) {
            say(format!("building the image {} from {}", image.name, build.needs));
            match host.build(&tag, dockerfile).await {
                Ok(id) => return Ok(Provided { tag, id, new: true }),
                Err(error) => tried.push(format!("no build from {}: {}", build.needs, short(&error))),
            }
        }
        if let Some(how) = &image.bootstrap {
            say(format!("bootstrapping the image {} from Debian's packages ({})", image.name, how.suite));
            if let Err(error) = bootstrap(how, &kept).await {
                tried.push(format!("no bootstrap: {error}"));
            }
        }
    }
    if kept.exists() {
        say(format!("importing the image {}", image.name));
        match host.import(&tag, &kept).await {
            Ok(id) => return Ok(Provided { tag, id, new: true }),
            Err(error) => tried.push(format!("no import: {}", short(&error))),
        }
    }
    if tried.is_empty() {
        tried.push("its declaration names neither a build nor a bootstrap".into());
    }
    Err(CantProvide { name: image.name.clone(), tried })
}

/// An engine's words on one line.
fn short(error: &HostError) -> String {
    error.kind.to_string().lines().next().unwrap_or_default().to_string()
}

/// The arguments of mmdebstrap that make an image's root file system as a tar file.
#[must_use]
pub fn mmdebstrap_arguments(how: &Bootstrap, target: &Path) -> Vec<String> {
    let mut arguments = vec![format!("--variant={}", how.variant), format!("--include={}", how.packages.join(","))];
    arguments.extend(how.options.iter().cloned());
    arguments.extend(how.customise.iter().map(|line| format!("--customize-hook={line}")));
    arguments.extend(["--quiet".into(), how.suite.clone(), target.to_string_lossy().into_owned()]);
    arguments
}

async fn bootstrap(how: &Bootstrap, target: &Path) -> Result<(), String> {
    let folder = target.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // Under another name until it is whole, so that a stopped bootstrap leaves nothing that looks like an image. The
    // folder goes with everything in it, whatever the end is.
    let scratch = tempfile::tempdir_in(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let partial = scratch.path().join("root.tar");
    let output = Command::new("mmdebstrap")
        .args(mmdebstrap_arguments(how, &partial))
        .env("TMPDIR", scratch.path())
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "mmdebstrap is not installed (apt-get install mmdebstrap)".to_string(),
            _ => format!("mmdebstrap: {error}"),
        })?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let last = words.lines().rev().find(|line| line.starts_with("E:")).or_else(|| words.lines().last());
        return Err(format!("mmdebstrap ended with {}: {}", output.status, last.unwrap_or("no word")));
    }
    std::fs::rename(&partial, target).map_err(|error| format!("{}: {error}", target.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_of_mmdebstrap() {
        let how = Bootstrap {
            suite: "bookworm".into(),
            variant: "minbase".into(),
            packages: vec!["systemd".into(), "dbus".into()],
            options: vec!["--aptopt=X".into()],
            customise: vec!["touch \"$1/x\"".into()],
        };
        assert_eq!(
            mmdebstrap_arguments(&how, Path::new("/t.tar")),
            [
                "--variant=minbase",
                "--include=systemd,dbus",
                "--aptopt=X",
                "--customize-hook=touch \"$1/x\"",
                "--quiet",
                "bookworm",
                "/t.tar"
            ]
        );
    }

    #[test]
    fn the_cache_follows_the_environment() {
        assert_eq!(cache_folder(Some("/c".into()), Some("/h".into())), Path::new("/c/sdc-engine/images"));
        assert_eq!(cache_folder(None, Some("/h".into())), Path::new("/h/.cache/sdc-engine/images"));
        assert_eq!(cache_folder(None, None), Path::new("/var/cache/sdc-engine/images"));
    }
}
