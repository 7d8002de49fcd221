//! Who reaches whom by the policies of the network: all that must, and nobody else.

use std::collections::BTreeMap;

use manifests::{Built, Document, OVERLAYS, matches};
use serde_json::Value;
use servers::package::skipped;

type Labels = BTreeMap<String, String>;

/// The labels of the pods that a Deployment or StatefulSet of this name makes.
fn labels(built: &Built, name: &str) -> Labels {
    let template = built.templates().find(|(document, _)| document.name() == name);
    template.unwrap_or_else(|| panic!("nothing is called {name}")).1.labels()
}

/// Whether the policies let `from` open a connection to a named port of `to`.
fn reaches(built: &Built, from: &str, to: &str, port: &str) -> bool {
    let (from, to) = (labels(built, from), labels(built, to));
    let policies: Vec<&Document> = built.all("NetworkPolicy").collect();
    allows(&policies, "egress", "to", &from, &to, port)
        && allows(&policies, "ingress", "from", &to, &from, port)
}

fn allows(
    policies: &[&Document],
    rules: &str,
    peers: &str,
    own: &Labels,
    other: &Labels,
    port: &str,
) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let of_own = policies.iter().filter(|policy| matches(&policy.spec()["podSelector"], own));
    of_own.flat_map(|policy| list(&policy.spec()[rules])).any(|rule| {
        let peers = list(&rule[peers]);
        let is_peer = |peer: &Value| {
            peer.get("namespaceSelector").is_none()
                && peer.get("podSelector").is_some_and(|selector| matches(selector, other))
        };
        let ports = list(&rule["ports"]);
        (peers.is_empty() || peers.iter().any(is_peer))
            && (ports.is_empty() || ports.iter().any(|open| open["port"] == port))
    })
}

#[tokio::test]
async fn services_reach_what_they_work_on_and_nobody_else_does() {
    let built = match Built::of(OVERLAYS[1]).await {
        Ok(built) => built,
        Err(missing) => return skipped(&missing),
    };
    let services =
        ["collector-customcrm", "collector-exactonline", "mapper", "writer-customcrm", "writer-exactonline"];
    for service in services {
        assert!(reaches(&built, service, "rabbitmq", "amqp"), "{service} and RabbitMQ");
        assert!(reaches(&built, service, "redis", "redis"), "{service} and Redis");
        assert!(!reaches(&built, "people", service, "health"), "people and {service}");
        assert!(!reaches(&built, "rabbitmq", service, "health"), "RabbitMQ and {service}");
    }
    for (service, port) in [("customcrm", "customcrm"), ("exactonline", "exactonline")] {
        assert!(reaches(&built, &format!("collector-{service}"), "people", port));
        assert!(reaches(&built, &format!("writer-{service}"), "people", port));
    }
    assert!(!reaches(&built, "people", "redis", "redis"));
    assert!(!reaches(&built, "people", "rabbitmq", "amqp"));
}

#[tokio::test]
async fn whoever_calls_a_system_may_and_nobody_else_does() {
    for overlay in OVERLAYS {
        let built = match Built::of(overlay).await {
            Ok(built) => built,
            Err(missing) => return skipped(&missing),
        };
        for (document, template) in built.templates() {
            let secrets = template.spec()["volumes"].as_array().into_iter().flatten();
            let knows = secrets.filter_map(|volume| volume.pointer("/secret/secretName")?.as_str());
            let knows_system =
                knows.into_iter().any(|secret| ["tandem-customcrm", "tandem-exactonline"].contains(&secret));
            let outside = allowed_outside(&built, &template.labels());
            let plays_them = document.name() == "people";
            assert_eq!(outside, knows_system && !plays_them, "{}: {document}", overlay.folder);
        }
    }
}

/// Whether policies let these pods call the public network over TLS.
fn allowed_outside(built: &Built, labels: &Labels) -> bool {
    let is_public = |peer: &Value| peer["ipBlock"]["cidr"] == "0.0.0.0/0";
    let mine = built.all("NetworkPolicy").filter(|policy| matches(&policy.spec()["podSelector"], labels));
    mine.flat_map(|policy| policy.spec()["egress"].as_array().into_iter().flatten()).any(|rule| {
        rule["to"].as_array().into_iter().flatten().any(is_public)
            && rule["ports"].as_array().into_iter().flatten().any(|port| port["port"] == 443)
    })
}
