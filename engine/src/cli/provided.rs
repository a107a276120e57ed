//! The images that a run needs, on the host that it has.

use std::collections::{BTreeMap, BTreeSet};

use super::images::cache;
use crate::host::Host;
use crate::images::{Catalogue, provide};
use crate::plan::RunPlan;

/// What a host has of the images that a plan needs, by name.
#[derive(Default)]
pub(super) struct Images {
    /// Their tags.
    pub(super) tags: BTreeMap<String, String>,
    /// The engine's ids of them.
    pub(super) ids: BTreeMap<String, String>,
    /// Whether one was made now, or was tried to be, which may have changed the machine: a module is loaded, say.
    pub(super) tried: bool,
}

/// The images that the plan needs; cases whose image can't be had become skipped.
pub(super) async fn provided(
    host: &dyn Host,
    catalogue: &Catalogue,
    plan: &mut RunPlan,
    notice: &(dyn Fn(String) + Send + Sync),
) -> Images {
    let needed: BTreeSet<String> =
        plan.groups.iter().flat_map(|group| &group.cases).map(|case| case.container.image.clone()).collect();
    let mut images = Images::default();
    let (mut missing, mut new) = (BTreeMap::new(), false);
    for name in needed {
        let Some(image) = catalogue.images.get(&name) else { continue };
        match provide(host, image, &cache(), notice).await {
            Ok(provided) => {
                new |= provided.new;
                images.ids.insert(name.clone(), provided.id);
                images.tags.insert(name, provided.tag);
            }
            Err(why) => drop(missing.insert(name, why.to_string())),
        }
    }
    images.tried = new || !missing.is_empty();
    if new {
        host.keep().await;
    }
    plan.skip(|case| missing.get(&case.container.image).cloned());
    images
}
