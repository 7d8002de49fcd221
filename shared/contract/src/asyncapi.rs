//! The channels and their messages, as an AsyncAPI 3 document: for people, and for whoever looks on from outside.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::message::schemas;
use crate::topology::{Argument, Lane, Queue, QueueKind, Topology};

const BINDING: &str = "0.3.0";

/// The messages by name, as [`schemas`] gives them: all, and those that a queue or an exchange carries.
const ALL: [&str; 5] = ["observed", "read-completed", "write-queued", "woken", "outcome"];
const OF_COLLECTORS: [&str; 2] = ["observed", "read-completed"];
const OF_PAIRS: [&str; 4] = ["observed", "read-completed", "woken", "outcome"];
const OF_WRITERS: [&str; 1] = ["write-queued"];

/// Describes a topology, and what travels in it.
pub fn asyncapi(topology: &Topology) -> Value {
    let channels: Map<String, Value> = std::iter::once(observations(topology))
        .chain(topology.queues().iter().map(|queue| channel(topology, queue)))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tandem's queues",
            "version": "1.0.0",
            "description": "Every message is a CloudEvent 1.0 in JSON. It is published persistently and mandatorily, and counts as published when the broker has confirmed and routed it. Who takes it acknowledges it after what follows from it is stored and published. Messages may come again, late and in any order.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations(topology),
        "components": { "messages": messages() },
    })
}

/// The exchange that collectors publish to.
fn observations(topology: &Topology) -> (String, Value) {
    let bindings: Vec<Value> = topology
        .bindings
        .iter()
        .map(|(queue, pattern)| json!({ "queue": queue, "pattern": pattern }))
        .collect();
    let described = json!({
        "address": "{connection}.{system}.{entity}",
        "description": "What collectors see. The exchange copies each observation to the queue of every pair that keeps the entity.",
        "parameters": {
            "connection": { "description": "The name of the connection." },
            "system": { "enum": ["customcrm", "exactonline"] },
            "entity": { "description": "The entity, in the words of the pair files." },
        },
        "messages": referred(&OF_COLLECTORS),
        "bindings": { "amqp": {
            "is": "routingKey",
            "exchange": { "name": topology.names.observations(), "type": "topic", "durable": true, "autoDelete": false },
            "bindingVersion": BINDING,
        } },
        "x-bindings": bindings,
    });
    ("observations".to_owned(), described)
}

fn channel(topology: &Topology, queue: &Queue) -> (String, Value) {
    let (description, messages) = match queue.kind {
        QueueKind::DeadLetters => (
            "What could not be handled, with the reason and the queue that it came from.".to_owned(),
            &ALL[..],
        ),
        QueueKind::Resting(tier) => (
            format!(
                "Messages that are tried again after {} s, or up to a quarter later, as their expiration says. They are published to the fanout exchange of the same name, with the queue that they return to as their routing key.",
                tier.delay().as_secs()
            ),
            &ALL[..],
        ),
        QueueKind::Work if written(topology, &queue.name).is_some() => {
            ("Writes to be claimed: each says where, and not what.".to_owned(), &OF_WRITERS[..])
        }
        QueueKind::Work => (
            "The observations of a pair's records, and the outcomes of its writes.".to_owned(),
            &OF_PAIRS[..],
        ),
    };
    let arguments: Map<String, Value> = topology
        .arguments(queue.kind)
        .into_iter()
        .map(|(name, argument)| {
            let value = match argument {
                Argument::Text(text) => Value::from(text),
                Argument::Number(number) => Value::from(number),
            };
            (name.to_owned(), value)
        })
        .collect();
    let mut described = json!({
        "address": queue.name,
        "description": description,
        "messages": referred(messages),
        "bindings": { "amqp": {
            "is": "queue",
            "queue": { "name": queue.name, "durable": true, "exclusive": false, "autoDelete": false },
            "bindingVersion": BINDING,
        } },
        "x-arguments": arguments,
    });
    if let QueueKind::Resting(tier) = queue.kind {
        let name = topology.names.retry_exchange(tier);
        described["x-exchange"] = json!({ "name": name, "type": "fanout", "durable": true });
    }
    (short(topology, queue), described)
}

/// Who sends and who receives.
fn operations(topology: &Topology) -> Value {
    let mut operations = Map::new();
    let mut add = |name: String, service: &str, action: &str, channel: &str, messages: &[&str]| {
        let messages: Vec<Value> = messages
            .iter()
            .map(|message| json!({ "$ref": format!("#/channels/{channel}/messages/{message}") }))
            .collect();
        let channel = json!({ "$ref": format!("#/channels/{channel}") });
        operations.insert(
            name,
            json!({ "action": action, "channel": channel, "messages": messages, "x-service": service }),
        );
    };
    for system in model::System::BOTH {
        let service = format!("collector-{system}");
        add(format!("{service}-publishes"), &service, "send", "observations", &OF_COLLECTORS);
    }
    for queue in topology.queues().iter().filter(|queue| queue.kind == QueueKind::Work) {
        let name = short(topology, queue);
        if let Some((system, lane)) = written(topology, &queue.name) {
            let service = format!("writer-{system}");
            add(format!("mapper-queues-{system}-{}", lane.name()), "mapper", "send", &name, &OF_WRITERS);
            if lane == Lane::Live {
                // A claim may find that the other side is to be written too.
                let other = format!("writer-{}", system.other());
                add(format!("{other}-queues-{system}"), &other, "send", &name, &OF_WRITERS);
            }
            add(format!("{service}-takes-{}", lane.name()), &service, "receive", &name, &OF_WRITERS);
        } else {
            add(format!("mapper-takes-{name}"), "mapper", "receive", &name, &OF_PAIRS);
            add(format!("mapper-wakes-{name}"), "mapper", "send", &name, &["woken"]);
            for system in model::System::BOTH {
                let service = format!("writer-{system}");
                add(format!("{service}-reports-to-{name}"), &service, "send", &name, &["outcome"]);
            }
        }
    }
    Value::Object(operations)
}

fn messages() -> Value {
    let headers = json!({
        "type": "object",
        "properties": {
            "traceparent": { "type": "string", "description": "The trace of the change, as W3C Trace Context has it." },
            "tracestate": { "type": "string" },
            "x-tandem-attempt": { "type": "string", "description": "Which attempt this is, from the second on." },
            "x-tandem-reason": { "type": "string", "description": "Why it was tried again last, or why it is a dead letter." },
            "x-tandem-origin": { "type": "string", "description": "Of a dead letter: the queue that it came from." },
        },
    });
    let mut generator =
        SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true).into_generator();
    let described = schemas(&mut generator).into_iter().map(|(name, kind, data)| {
        let message = json!({
            "name": kind,
            "contentType": "application/cloudevents+json",
            "headers": headers,
            "payload": {
                "type": "object",
                "required": ["specversion", "id", "source", "type", "time", "datacontenttype", "data"],
                "properties": {
                    "specversion": { "const": "1.0" },
                    "id": { "type": "string", "format": "uuid" },
                    "source": { "type": "string", "description": "The service, as /tandem/mapper." },
                    "type": { "const": kind },
                    "time": { "type": "string", "format": "date-time" },
                    "datacontenttype": { "const": "application/json" },
                    "data": data,
                },
            },
        });
        (name.to_owned(), message)
    });
    Value::Object(described.collect())
}

fn referred(messages: &[&str]) -> Value {
    let of = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/messages/{name}") }));
    Value::Object(messages.iter().map(of).collect())
}

/// The name of a queue's channel: what follows the namespace.
fn short(topology: &Topology, queue: &Queue) -> String {
    let namespace = topology.names.namespace();
    let name = queue.name.strip_prefix(namespace).and_then(|name| name.strip_prefix('.'));
    name.unwrap_or(&queue.name).replace('.', "-")
}

fn written(topology: &Topology, queue: &str) -> Option<(model::System, Lane)> {
    let lanes = model::System::BOTH.into_iter().flat_map(|system| Lane::BOTH.map(|lane| (system, lane)));
    lanes.into_iter().find(|(system, lane)| topology.names.writes(*system, *lane) == queue)
}
