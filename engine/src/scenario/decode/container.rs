//! `[container]` and `[[container.when]]`: container flags in layers.

use indexmap::IndexMap;

use super::super::check::flags;
use super::super::cursor::{Fields, Item};
use super::super::diagnostic::{Code, Diagnostic};
use super::super::keys::{CONTAINER, CONTAINER_WHEN, ENV, SECRET, SYSCTLS};
use super::super::model::{Layer, List, Map, Scalar, Template};
use crate::source::Sp;

/// Decodes the table: its own layer first.
pub(super) fn layers(item: &Item<'_, '_>) -> Vec<Layer> {
    let Some(fields) = item.table(&CONTAINER, "write [container] with flags such as `image` and `cap_add`") else {
        return Vec::new();
    };
    let base = layer(&fields);
    let mut layers = vec![base];
    if let Some(item) = fields.get("when") {
        let help = "write [[container.when]] with `if` and the flags that it adds";
        for table in item.list("a list of tables", help).unwrap_or_default() {
            let Some(fields) = table.table(&CONTAINER_WHEN, help) else { continue };
            let help = "the condition, such as \"setup_mode != 'default'\"; flags for all cases stand in [container]";
            let when = fields.required("if", help).and_then(|item| item.condition());
            let mut layer = layer(&fields);
            fields.finish();
            layer.when = when;
            if layer.scalars.is_empty() && layer.lists.is_empty() && layer.maps.is_empty() {
                let message = "this conditional layer sets nothing";
                let diagnostic = Diagnostic::new(Code::NoEffect, message, &fields.loc(), "here");
                fields.cx.sink.push(diagnostic.help("add flags such as `cap_add` below it, or leave it out"));
            }
            layers.push(layer);
        }
    }
    fields.finish();
    layers
}

fn layer(fields: &Fields<'_, '_>) -> Layer {
    let mut layer = Layer::default();
    for (scalar, key) in Scalar::ALL {
        if let Some(value) = fields.get(key).and_then(|item| item.scalar()) {
            layer.scalars.insert(*scalar, value);
        }
    }
    for (list, key) in List::ALL {
        let Some(item) = fields.get(key) else { continue };
        let help = format!("{key} = [\"…\"]");
        if let Some(items) = item.list("a list of strings", &help) {
            layer.lists.insert(*list, items.iter().filter_map(Item::template).collect());
        }
    }
    for (map, key) in Map::ALL {
        let Some(item) = fields.get(key) else { continue };
        let or = if *map == Map::Env { " or { NAME = { secret = \"VARIABLE\" } }" } else { "" };
        let help = format!("{key} = {{ NAME = \"value\" }}{or}");
        let Some(table) = item.table(if *map == Map::Env { &ENV } else { &SYSCTLS }, &help) else { continue };
        let mut values: IndexMap<String, Template> = IndexMap::new();
        for (name, item) in table.rest() {
            if *map == Map::Env && item.is_table() {
                layer.secrets.extend(secret(&name, &item).map(|variable| (name.value, variable)));
            } else if let Some(value) = item.scalar() {
                values.insert(name.value, value);
            }
        }
        layer.maps.insert(*map, values);
    }
    flags::layer(fields.cx, &layer);
    layer
}

/// `{ secret = "VARIABLE" }`: the value itself has no place in a file.
fn secret(name: &Sp<String>, item: &Item<'_, '_>) -> Option<String> {
    let help = "env = { NAME = { secret = \"VARIABLE\" } }: the value is taken from that variable when it runs";
    let fields = item.table(&SECRET, help)?;
    let variable = fields.required("secret", help).and_then(|item| item.text());
    fields.finish();
    let variable = variable?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    // Both: a shell sets the one to the other in the command line that repeats the boot by hand.
    for name in [name, &variable] {
        if name.value.starts_with(|c: char| c.is_ascii_digit()) || !name.value.chars().all(fits) {
            let message = "this is no name of an environment variable";
            let help = format!("letters, digits and `_`, and no digit first; {help}");
            item.cx.sink.push(Diagnostic::new(Code::BadValue, message, &name.loc, "here").help(help));
            return None;
        }
    }
    Some(variable.value)
}
