//! Images of an engine's store: found, imported from a root file system, built from a Dockerfile's text, removed.

use std::path::Path;

use bollard::Docker as Client;
use bollard::query_parameters::{BuildImageOptions, CreateImageOptions, RemoveImageOptions};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::Value;
use tokio_util::io::ReaderStream;

use super::address::Address;
use super::errors::{CALL, IMAGE, limited};
use super::wire::{get_json, quote};
use super::{HostError, HostErrorKind};

pub(super) async fn id(address: &Address, tag: &str) -> Result<Option<String>, HostError> {
    let path = format!("/images/{}/json", quote(tag));
    match limited(format!("inspect image {tag}"), CALL, get_json(address, &path)).await {
        Ok(image) => Ok(image.get("Id").and_then(Value::as_str).map(ToOwned::to_owned)),
        Err(HostError { kind: HostErrorKind::NotFound(_), .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn tags(address: &Address, prefix: &str) -> Result<Vec<String>, HostError> {
    let images = limited("list images", CALL, get_json(address, "/images/json")).await?;
    let mut tags: Vec<_> = images
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|image| image.get("RepoTags").and_then(Value::as_array).into_iter().flatten())
        .filter_map(Value::as_str)
        // podman puts a registry before a name without one: its own, or docker's through the compatible API.
        .map(|tag| ["localhost/", "docker.io/"].iter().find_map(|start| tag.strip_prefix(start)).unwrap_or(tag))
        .filter(|tag| tag.starts_with(prefix))
        .map(ToOwned::to_owned)
        .collect();
    tags.sort();
    Ok(tags)
}

pub(super) async fn import(client: &Client, address: &Address, tag: &str, tar: &Path) -> Result<String, HostError> {
    let action = || format!("import {} as image {tag}", tar.display());
    let file = tokio::fs::File::open(tar).await.map_err(|error| HostError::local(action(), error))?;
    // podman 4.3 does not look at a tag of its own.
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        repo: Some(tag.to_owned()),
        ..CreateImageOptions::default()
    };
    let body = bollard::body_try_stream(ReaderStream::with_capacity(file, 256 * 1024));
    let mut answers = client.create_image(Some(options), Some(body), None);
    limited(action(), IMAGE, async {
        while let Some(answer) = answers.next().await {
            answer?;
        }
        Ok::<_, bollard::errors::Error>(())
    })
    .await?;
    made(address, tag, action()).await
}

pub(super) async fn build(
    client: &Client,
    address: &Address,
    tag: &str,
    dockerfile: &str,
) -> Result<String, HostError> {
    let action = || format!("build image {tag}");
    let context = context(dockerfile).map_err(|error| HostError::local(action(), error))?;
    let options = BuildImageOptions {
        dockerfile: "Dockerfile".to_owned(),
        t: Some(tag.to_owned()),
        rm: true,
        forcerm: true,
        ..BuildImageOptions::default()
    };
    let mut answers = client.build_image(options, None, Some(bollard::body_full(context)));
    let mut log = String::new();
    let done = limited(action(), IMAGE, async {
        while let Some(answer) = answers.next().await {
            log.push_str(&answer?.stream.unwrap_or_default());
        }
        Ok::<_, bollard::errors::Error>(())
    })
    .await;
    drop(answers);
    match done {
        Ok(()) => made(address, tag, action()).await,
        Err(HostError { action, kind: HostErrorKind::Refused { status, message } }) => {
            let message = match log.trim().lines().last() {
                Some(last) => format!("{message}, after `{last}`"),
                None => message,
            };
            Err(HostError { action, kind: HostErrorKind::Refused { status, message } })
        }
        Err(error) => Err(error),
    }
}

async fn made(address: &Address, tag: &str, action: String) -> Result<String, HostError> {
    id(address, tag).await?.ok_or_else(|| {
        HostError::new(action, HostErrorKind::Unreachable("it said that it did, but the image is not there".into()))
    })
}

/// A build context with nothing but a Dockerfile.
fn context(dockerfile: &str) -> std::io::Result<Bytes> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(dockerfile.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "Dockerfile", dockerfile.as_bytes())?;
    archive.into_inner().map(Bytes::from)
}

pub(super) async fn remove(client: &Client, tag: &str) -> Result<(), HostError> {
    let options = RemoveImageOptions { force: true, ..RemoveImageOptions::default() };
    match limited(format!("remove image {tag}"), IMAGE, client.remove_image(tag, Some(options), None)).await {
        Ok(_) | Err(HostError { kind: HostErrorKind::NotFound(_), .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
