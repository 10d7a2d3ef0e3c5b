//! RabbitMQ's definitions, rendered from the table.

use serde_json::{Value, json};

use super::{
    NodeSpec, SpecFault, VHOST, bindings::bindings, exchanges::exchanges, queues::queues, shovels::shovels,
    users::users,
};

/// All objects of a node's broker, in the form of RabbitMQ's `definitions.json`.
///
/// <https://www.rabbitmq.com/docs/definitions>. It holds no password and no file's content, so it can be kept and reviewed
/// like any other text.
///
/// # Errors
/// [`SpecFault`] when the specification contradicts itself.
pub fn definitions(spec: &NodeSpec) -> Result<Value, SpecFault> {
    spec.check()?;
    let users = users(spec);
    Ok(json!({
        "vhosts": [{ "name": VHOST }],
        "users": users.iter().map(|user| user.account()).collect::<Vec<_>>(),
        "permissions": users.iter().map(|user| user.permission()).collect::<Vec<_>>(),
        "topic_permissions": users.iter().flat_map(|user| user.topic_permissions()).collect::<Vec<_>>(),
        "parameters": shovels(spec),
        "exchanges": exchanges(spec),
        "queues": queues(spec),
        "bindings": bindings(spec),
    }))
}
