//! A table of keys as a JSON Schema (draft 2020-12), for editors: it is checked while one types. What a file says beyond its
//! keys and types is the decoder's to judge (`sdc-engine lint`).

use serde_json::{Map, Value, json};

use super::model::{Key, Shape, Table};

/// The schema of a kind of file, which is a table as a whole.
#[must_use]
pub fn json(file: &Table) -> Value {
    let mut definitions = Map::new();
    let Value::Object(body) = table(file, &mut definitions) else { return Value::Null };
    let mut root = Map::new();
    root.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("title".into(), format!("sdc-engine: {}", file.what).into());
    root.insert("$comment".into(), "made by: sdc-engine schema".into());
    root.extend(body);
    definitions.sort_keys();
    if !definitions.is_empty() {
        root.insert("$defs".into(), definitions.into());
    }
    root.into()
}

fn table(table: &Table, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for known in table.known() {
        properties.insert(known.name.into(), key(known, definitions));
    }
    let required: Vec<&str> = table.known().filter(|key| key.required).map(|key| key.name).collect();
    let named = match &table.named {
        None => Value::Bool(false),
        Some(named) => {
            let mut value = shape(&named.shape, definitions);
            value["description"] = plain(named.doc).into();
            value
        }
    };
    let mut object = json!({ "description": plain(table.doc), "type": "object" });
    if !properties.is_empty() {
        object["properties"] = properties.into();
    }
    if !required.is_empty() {
        object["required"] = required.into();
    }
    object["additionalProperties"] = named;
    object
}

fn key(key: &Key, definitions: &mut Map<String, Value>) -> Value {
    let mut value = shape(&key.shape, definitions);
    value["description"] = plain(key.doc).into();
    if let Some(default) = key.default.and_then(of_toml) {
        value["default"] = default;
    }
    value
}

/// Editors show descriptions as they are.
fn plain(doc: &str) -> String {
    doc.replace('`', "")
}

/// A value written in TOML.
fn of_toml(text: &str) -> Option<Value> {
    let document: Map<String, Value> = toml::from_str(&format!("value = {text}")).ok()?;
    document.get("value").cloned()
}

/// Text that is rendered before it is read, so that its type is not known yet.
fn template() -> Value {
    json!({ "type": "string", "pattern": "\\$\\{" })
}

fn shape(of: &Shape, definitions: &mut Map<String, Value>) -> Value {
    match of {
        Shape::Text => json!({ "type": "string", "pattern": "\\S" }),
        // As crate::scenario::unsafe_name has it.
        Shape::Name => json!({ "type": "string", "pattern": "^[a-z0-9_][a-z0-9_.-]*$", "maxLength": 100 }),
        Shape::Template | Shape::Duration | Shape::Condition | Shape::Regex => json!({ "type": "string" }),
        Shape::Scalar => json!({ "type": ["string", "boolean", "number"] }),
        Shape::Switch => json!({ "anyOf": [{ "enum": [true, false, "true", "false"] }, template()] }),
        // `systemd = true` is as good as `systemd = "true"`.
        Shape::Choice(words) => {
            let flags = words.iter().filter_map(|word| word.parse::<bool>().ok()).map(Value::Bool);
            let all: Vec<Value> = words.iter().map(|word| Value::from(*word)).chain(flags).collect();
            json!({ "anyOf": [{ "enum": all }, template()] })
        }
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::True => json!({ "const": true }),
        Shape::Int(least, most) => {
            let mut value = json!({ "type": "integer" });
            if *least != i64::MIN {
                value["minimum"] = (*least).into();
            }
            if *most != i64::MAX {
                value["maximum"] = (*most).into();
            }
            value
        }
        Shape::Words(words) => json!({ "enum": words() }),
        Shape::List(item) => json!({ "type": "array", "items": shape(item, definitions) }),
        Shape::Some(item) => json!({ "type": "array", "items": shape(item, definitions), "minItems": 1 }),
        Shape::OneOrMany(item) => {
            let one = shape(item, definitions);
            json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
        }
        Shape::Any(shapes) => {
            let all: Vec<Value> = shapes.iter().map(|one| shape(one, definitions)).collect();
            json!({ "anyOf": all })
        }
        Shape::Table(of) => {
            if !definitions.contains_key(of.id) {
                // Before what it holds, so that a table that holds itself would end here.
                definitions.insert(of.id.into(), Value::Null);
                let value = table(of, definitions);
                definitions.insert(of.id.into(), value);
            }
            json!({ "$ref": format!("#/$defs/{}", of.id) })
        }
    }
}
