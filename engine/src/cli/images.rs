//! `sdc-engine images`: what is declared, what a host has, making and removing.

use std::path::{Path, PathBuf};

use miette::miette;

use super::args::{ImagesArgs, ImagesCommand};
use super::exit::{Exit, Failure};
use super::{host, print};
use crate::host::Host;
use crate::images::{ImageDef, cache_folder, cached_root, load, provide};

/// Where root file systems are kept, for this process.
pub(super) fn cache() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    cache_folder(folder("XDG_CACHE_HOME"), folder("HOME"))
}

/// Does what was asked with the images.
pub(super) async fn images(args: ImagesArgs, folder: &Path) -> Result<Exit, Failure> {
    let catalogue = load(folder).map_err(Failure::input)?;
    let (names, host) = match &args.command {
        ImagesCommand::List(host) => (&Vec::new(), host.clone()),
        ImagesCommand::Build { names, host } | ImagesCommand::Remove { names, host } => (names, host.clone()),
    };
    if let Some(unknown) = names.iter().find(|name| !catalogue.images.contains_key(*name)) {
        let known = catalogue.images.keys().cloned().collect::<Vec<_>>().join(", ");
        return Err(Failure::input(miette!(help = format!("there are: {known}"), "there is no image '{unknown}'")));
    }
    let chosen: Vec<&ImageDef> =
        catalogue.images.values().filter(|image| names.is_empty() || names.contains(&image.name)).collect();
    let opened = host::open_one(&host, folder).await?;
    let done = match &args.command {
        ImagesCommand::List(_) => list(opened.host.as_ref(), &chosen).await,
        ImagesCommand::Build { .. } => build(opened.host.as_ref(), &chosen).await,
        ImagesCommand::Remove { .. } => remove(opened.host.as_ref(), &chosen).await,
    };
    let left = opened.host.close().await;
    let exit = done?;
    if left.is_empty() { Ok(exit) } else { Err(Failure::environment(left.join("; "))) }
}

async fn list(host: &dyn Host, images: &[&ImageDef]) -> Result<Exit, Failure> {
    for image in images {
        let there = host.image(&image.tag()).await.map_err(Failure::environment)?.is_some();
        let mut ways = Vec::new();
        if image.build.is_some() {
            ways.push("a registry");
        }
        if image.bootstrap.is_some() {
            ways.push("Debian's packages");
        }
        let state = if there { "present" } else { "absent" };
        print(&format!("{:14} {state:8} {}  from {}\n", image.name, image.title, ways.join(" or ")))?;
    }
    Ok(Exit::Held)
}

async fn build(host: &dyn Host, images: &[&ImageDef]) -> Result<Exit, Failure> {
    let mut exit = Exit::Held;
    let mut new = false;
    for image in images {
        let say = |text: String| tracing::info!("{text}");
        match provide(host, image, &cache(), &say).await {
            Ok(provided) => {
                new |= provided.new;
                print(&format!("{:14} {}\n", image.name, provided.tag))?;
            }
            Err(why) => {
                exit = Exit::Environment;
                print(&format!("{:14} {why}\n", image.name))?;
            }
        }
    }
    if new {
        host.keep().await;
    }
    Ok(exit)
}

async fn remove(host: &dyn Host, images: &[&ImageDef]) -> Result<Exit, Failure> {
    for image in images {
        // Tags of earlier contents of the same declaration go too.
        for tag in host.images(&format!("sdc-engine/{}:", image.name)).await.map_err(Failure::environment)? {
            host.remove_image(&tag).await.map_err(Failure::environment)?;
            print(&format!("removed {tag}\n"))?;
        }
        let kept = cached_root(&cache(), image);
        match std::fs::remove_file(&kept) {
            Ok(()) => print(&format!("removed {}\n", kept.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::environment(format!("{}: {error}", kept.display()))),
        }
    }
    Ok(Exit::Held)
}
