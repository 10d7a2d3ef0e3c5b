//! What is done to every generated schema, and what makes one closed.

use schemars::{Schema, transform::transform_subschemas};
use serde_json::Value;

/// A field that is absent is left out: `null` is never written, and refused when it comes.
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

/// `oneOf` of single words, as generated for enumerations with a comment at each word, becomes
/// `enum`: shorter, and a fault can then name what is possible.
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

/// `anyOf: [X, null]` becomes X.
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

/// Every object refuses fields that it does not know.
pub(super) fn close(schema: &mut Schema) {
    transform_subschemas(&mut close, schema);
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".into(), Value::Bool(false));
    }
}
