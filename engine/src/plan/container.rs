//! Layers of `[container]` into one rendered specification.

use super::error::PlanError;
use super::model::ContainerSpec;
use super::render::Renderer;
use crate::scenario::model::{Layer, List, Map, Scalar, Template};
use crate::source::Loc;

/// Renders the layers from the lowest up: a plain layer's list replaces what is below it, a conditional layer's is
/// appended; maps are merged by key; a text that renders to nothing is left out.
pub(super) fn render(layers: &[Layer], renderer: &Renderer<'_>) -> Result<ContainerSpec, PlanError> {
    let mut spec = ContainerSpec { setup_mode: "default".into(), tty: true, ..ContainerSpec::default() };
    for layer in layers {
        if !renderer.holds(layer.when.as_ref())? {
            continue;
        }
        for (key, template) in &layer.scalars {
            scalar(&mut spec, *key, template, renderer)?;
        }
        for (key, templates) in &layer.lists {
            let mut texts = Vec::new();
            for template in templates {
                let text = renderer.text(template)?;
                if !text.is_empty() {
                    texts.push(text);
                }
            }
            list(&mut spec, *key, texts, layer.when.is_some());
        }
        for (key, templates) in &layer.maps {
            if *key == Map::Env {
                spec.secrets.retain(|name, _| !templates.contains_key(name));
            }
            let map = match key {
                Map::Env => &mut *spec.env,
                Map::Sysctls => &mut *spec.sysctls,
            };
            for (name, template) in templates {
                let text = renderer.text(template)?;
                if text.is_empty() {
                    map.remove(name);
                } else {
                    map.insert(name.clone(), text);
                }
            }
        }
        for (name, variable) in &layer.secrets {
            spec.env.remove(name);
            spec.secrets.insert(name.clone(), variable.clone());
        }
    }
    Ok(spec)
}

fn scalar(spec: &mut ContainerSpec, key: Scalar, template: &Template, r: &Renderer<'_>) -> Result<(), PlanError> {
    let text = r.text(template)?;
    let loc = &template.0.loc;
    let some = (!text.is_empty()).then(|| text.clone());
    match key {
        Scalar::Image => spec.image = text,
        Scalar::SetupMode => spec.setup_mode = text,
        Scalar::Cgroupns => spec.cgroupns = one_of(some, &["host", "private"], "cgroupns", loc, r)?,
        Scalar::Systemd => spec.systemd = one_of(some, &["always", "true", "false"], "systemd", loc, r)?,
        Scalar::Cgroups => {
            let words = ["enabled", "disabled", "no-conmon", "split"];
            spec.cgroups = one_of(some, &words, "cgroups", loc, r)?;
        }
        Scalar::Privileged => spec.privileged = boolean(&text, loc, r)?,
        Scalar::ReadOnly => spec.read_only = boolean(&text, loc, r)?,
        Scalar::Tty => spec.tty = boolean(&text, loc, r)?,
        Scalar::StopSignal => spec.stop_signal = some,
        Scalar::Network => spec.network = some,
        Scalar::Hostname => spec.hostname = some,
        Scalar::Userns => spec.userns = some,
        Scalar::CgroupParent => spec.cgroup_parent = some,
        Scalar::User => spec.user = some,
        Scalar::Memory => spec.memory = some.map(|t| bytes(&t, loc, r)).transpose()?,
        Scalar::ShmSize => spec.shm_size = some.map(|t| bytes(&t, loc, r)).transpose()?,
        Scalar::Cpus => spec.nano_cpus = some.map(|t| nano_cpus(&t, loc, r)).transpose()?,
        Scalar::PidsLimit => {
            let parse = |t: String| t.parse().map_err(|_| bad(&t, "a whole number", loc, r));
            spec.pids_limit = some.map(parse).transpose()?;
        }
    }
    Ok(())
}

fn list(spec: &mut ContainerSpec, key: List, texts: Vec<String>, append: bool) {
    let target = match key {
        List::Tmpfs => {
            if !append {
                spec.tmpfs.clear();
            }
            spec.tmpfs.extend(texts.into_iter().map(|t| match t.split_once(':') {
                Some((path, options)) => (path.to_string(), options.to_string()),
                None => (t, String::new()),
            }));
            return;
        }
        List::CapAdd => &mut spec.cap_add,
        List::CapDrop => &mut spec.cap_drop,
        List::SecurityOpt => &mut spec.security_opt,
        List::Unmask => &mut spec.unmask,
        List::Volumes => &mut spec.volumes,
        List::Devices => &mut spec.devices,
        List::Ulimits => &mut spec.ulimits,
        List::Command => &mut spec.command,
    };
    if !append {
        target.clear();
    }
    for text in texts {
        let text = if matches!(key, List::CapAdd | List::CapDrop) {
            text.trim_start_matches("CAP_").to_string()
        } else {
            text
        };
        if key == List::Command || !target.contains(&text) {
            target.push(text);
        }
    }
}

fn boolean(text: &str, loc: &Loc, r: &Renderer<'_>) -> Result<bool, PlanError> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        _ => Err(bad(text, "true or false", loc, r)),
    }
}

fn one_of(
    text: Option<String>,
    words: &[&str],
    key: &str,
    loc: &Loc,
    r: &Renderer<'_>,
) -> Result<Option<String>, PlanError> {
    match text {
        Some(text) if !words.contains(&text.as_str()) => {
            Err(bad(&text, &format!("a value of {key} ({})", words.join(", ")), loc, r))
        }
        other => Ok(other),
    }
}

fn bytes(text: &str, loc: &Loc, r: &Renderer<'_>) -> Result<i64, PlanError> {
    let parsed = parse_size::Config::new().with_binary().parse_size(text).ok();
    parsed.and_then(|n| i64::try_from(n).ok()).ok_or_else(|| bad(text, "a size such as 256m", loc, r))
}

/// The billionths that docker's API takes.
fn nano_cpus(text: &str, loc: &Loc, r: &Renderer<'_>) -> Result<i64, PlanError> {
    let wrong = || bad(text, "a number of CPUs such as 0.5", loc, r);
    let cpus: f64 = text.parse().map_err(|_| wrong())?;
    if !(0.001..=1024.0).contains(&cpus) {
        return Err(wrong());
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range above keeps it below 2^53")]
    Ok((cpus * 1e9).round() as i64)
}

fn bad(text: &str, wanted: &str, loc: &Loc, r: &Renderer<'_>) -> PlanError {
    PlanError {
        message: format!("'{text}' is not {wanted}"),
        loc: loc.clone(),
        help: format!("seen when rendered for the case {}", r.case),
        case: Some(r.case.clone()),
    }
}
