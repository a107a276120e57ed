//! `[container]` and `[[container.when]]`: container flags in layers.

use indexmap::IndexMap;

use super::super::check::flags;
use super::super::cursor::{Fields, Item};
use super::super::diagnostic::{Code, Diagnostic};
use super::super::model::{Layer, List, Map, Scalar, Template};

/// Decodes the table: its own layer first.
pub(super) fn layers(item: &Item<'_, '_>) -> Vec<Layer> {
    let Some(fields) = item.table("[container]", "write [container] with flags such as `image` and `cap_add`") else {
        return Vec::new();
    };
    let base = layer(&fields);
    let mut layers = vec![base];
    if let Some(item) = fields.get("when") {
        let help = "write [[container.when]] with `if` and the flags that it adds";
        for table in item.list("a list of tables", help).unwrap_or_default() {
            let Some(fields) = table.table("[[container.when]]", help) else { continue };
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
        let help = format!("{key} = {{ NAME = \"value\" }}");
        let Some(table) = item.table("a table of flags", &help) else { continue };
        let values: IndexMap<String, Template> =
            table.rest().into_iter().filter_map(|(name, item)| Some((name.value, item.scalar()?))).collect();
        layer.maps.insert(*map, values);
    }
    flags::layer(fields.cx, &layer);
    layer
}
