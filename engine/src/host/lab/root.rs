//! A root folder from Debian's packages, made on first use and kept by what it is made from.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::Root;

/// The folder of a root: made now where it is not there yet. A second process that wants the same one waits.
///
/// # Errors
/// Words on what is missing or went wrong.
pub(crate) async fn provide(
    root: &Root,
    folder: &Path,
    notice: &(dyn Fn(String) + Send + Sync),
) -> Result<PathBuf, String> {
    let target = folder.join(name(root));
    if target.is_dir() {
        return Ok(target);
    }
    let words = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    std::fs::create_dir_all(folder).map_err(|error| words(folder, error))?;
    let lock_file = folder.join(format!("{}.lock", name(root)));
    let lock = std::fs::File::create(&lock_file).map_err(|error| words(&lock_file, error))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
    let _held = lock.map_err(|error| error.to_string())?.map_err(|error| words(&lock_file, error))?;
    if target.is_dir() {
        return Ok(target);
    }
    notice(format!("making a root folder of Debian {} with {}: about a minute", root.suite, root.packages.join(", ")));
    // Under another name until it is whole. What a killed run left of it is ours to remove while we hold the lock.
    let partial = folder.join(format!("{}.partial", name(root)));
    remove(&partial).await?;
    let made = bootstrap(root, &partial).await;
    if made.is_err() {
        remove(&partial).await?;
    }
    made?;
    std::fs::rename(&partial, &target).map_err(|error| words(&target, error))?;
    Ok(target)
}

/// The folder's name: the suite and a hash of all that decides the content.
fn name(root: &Root) -> String {
    let parts = serde_json::json!([root.suite, root.packages, root.options, FIXED, NEEDED]);
    format!("{}-{:.12x}", root.suite, Sha256::digest(parts.to_string()))
}

/// Packages that `private/inner.sh` needs.
const NEEDED: &str = "mount,iproute2";

/// What every root is made with: no recommended packages, and nothing that people read.
const FIXED: [&str; 5] = [
    "--variant=apt",
    "--aptopt=APT::Install-Recommends \"false\"",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
];

async fn bootstrap(root: &Root, target: &Path) -> Result<(), String> {
    let output = Command::new("mmdebstrap")
        .args(FIXED)
        .arg(format!("--include={NEEDED},{}", root.packages.join(",")))
        .args(&root.options)
        .args(["--quiet", &root.suite])
        .arg(target)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "mmdebstrap is not installed (apt-get install mmdebstrap)".to_owned(),
            _ => format!("mmdebstrap: {error}"),
        })?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last = words.lines().rev().find(|line| line.starts_with("E:")).or_else(|| words.lines().last());
    Err(format!("mmdebstrap ended with {}: {}", output.status, last.unwrap_or("no word")))
}

async fn remove(folder: &Path) -> Result<(), String> {
    match tokio::fs::remove_dir_all(folder).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {error}", folder.display())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_follows_the_content() {
        let root = Root { suite: "trixie".into(), packages: vec!["runc".into()], options: Vec::new() };
        let other = Root { packages: vec!["crun".into()], ..root.clone() };
        assert!(name(&root).starts_with("trixie-"));
        assert_eq!(name(&root), name(&root.clone()));
        assert_ne!(name(&root), name(&other));
    }

    #[tokio::test]
    async fn one_that_is_there_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Root { suite: "trixie".into(), packages: Vec::new(), options: Vec::new() };
        std::fs::create_dir(folder.path().join(name(&root))).expect("made");
        let told = |words: String| unreachable!("{words}");
        assert_eq!(provide(&root, folder.path(), &told).await, Ok(folder.path().join(name(&root))));
    }
}
