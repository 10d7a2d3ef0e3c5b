//! Transformations of generated schemas; one of them makes a schema closed.

use schemars::{Schema, transform::transform_subschemas};
use serde_json::Value;

/// Removes `null` as an alternative: an absent field is left out, and a received `null` is refused.
pub(super) fn without_null(schema: &mut Schema) {
    transform_subschemas(&mut without_null, schema);
    if let Some(types) = schema.get_mut("type")
        && let Value::Array(several) = types
    {
        several.retain(|name| name != "null");
        if let [single] = several.as_slice() {
            *types = single.clone();
        }
    }
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    unwrap_any_of(schema);
}

/// Turns a `oneOf` of single words, as generated for enumerations with a comment at each word, into an `enum`: it is shorter,
/// and a fault can then list the possible words.
pub(super) fn words_as_enum(schema: &mut Schema) {
    transform_subschemas(&mut words_as_enum, schema);
    let Some(Value::Array(options)) = schema.get("oneOf") else { return };
    let words: Option<Vec<Value>> = options.iter().map(|option| option.get("const").cloned()).collect();
    if let Some(words) = words {
        schema.remove("oneOf");
        schema.insert("type".into(), Value::String("string".into()));
        schema.insert("enum".into(), Value::Array(words));
    }
}

/// Turns `anyOf: [X, null]` into X.
fn unwrap_any_of(schema: &mut Schema) {
    let is_null = |option: &Value| option.get("type").is_some_and(|name| name == "null");
    let Some(Value::Array(options)) = schema.get("anyOf") else { return };
    let rest: Vec<Value> = options.iter().filter(|option| !is_null(option)).cloned().collect();
    if let [Value::Object(single)] = rest.as_slice() {
        let single = single.clone();
        schema.remove("anyOf");
        for (name, value) in single {
            schema.insert(name, value);
        }
    }
}

/// Makes every object refuse unknown fields.
pub(super) fn close(schema: &mut Schema) {
    transform_subschemas(&mut close, schema);
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".into(), Value::Bool(false));
    }
}
