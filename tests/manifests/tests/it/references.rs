//! What a document refers to is there: in the same build, or among the Secrets that a documented command makes.

use std::collections::BTreeSet;

use manifests::{Built, Document, matches};
use serde_json::Value;

use crate::{assert_none, each_built};

/// A build, and what is wrong with it.
struct Look<'a> {
    built: &'a Built,
    found: Vec<String>,
}

#[tokio::test]
async fn whatever_is_referred_to_is_there() {
    let Some(built) = each_built().await else { return };
    let found: Vec<String> = built.iter().flat_map(problems).collect();
    assert_none(&found);
}

#[tokio::test]
async fn a_reference_to_nothing_is_found() {
    let Some(mut built) = each_built().await else { return };
    let production = built.iter_mut().find(|built| built.overlay.folder == "overlays/production").unwrap();
    for kind in [
        "ConfigMap",
        "PersistentVolumeClaim",
        "Service",
        "PriorityClass",
        "TriggerAuthentication",
        "ServiceAccount",
    ] {
        let kept = production.all.clone();
        production.all.retain(|document| document.kind() != kind);
        assert!(!problems(production).is_empty(), "nobody misses any {kind}");
        production.all = kept;
    }
    production.secrets = manifests::Secrets::none();
    assert!(!problems(production).is_empty(), "nobody misses a Secret");
}

fn problems(built: &Built) -> Vec<String> {
    let mut look = Look { built, found: Vec::new() };
    for document in &built.own {
        look.document(document);
    }
    look.found.into_iter().map(|problem| format!("{}: {problem}", built.overlay.folder)).collect()
}

impl Look<'_> {
    fn demand(&mut self, document: &Document, is_there: bool, what: impl FnOnce() -> String) {
        if !is_there {
            self.found.push(format!("{document}: there is no {}", what()));
        }
    }

    fn demand_secret(&mut self, document: &Document, name: &Value, key: Option<&Value>) {
        let (name, key) = (text(name), key.map(text));
        let keys = self.built.secrets.keys(name);
        let is_there = keys.is_some_and(|keys| key.is_none_or(|key| keys.contains(key)));
        self.demand(document, is_there, || format!("Secret {name} with {}", key.unwrap_or("any key")));
    }

    fn document(&mut self, document: &Document) {
        let spec = document.spec();
        self.pods_of(document);
        match document.kind() {
            "Deployment" | "StatefulSet" => {
                let selector = &spec["selector"];
                let pods = self.built.pods();
                let selected: Vec<&String> = pods
                    .iter()
                    .filter(|(_, (labels, _))| matches(selector, labels))
                    .map(|(by, _)| by)
                    .collect();
                let own = selected == [&document.to_string()];
                self.demand(document, own, || {
                    format!("selector that finds its own pods and no others: {selected:?}")
                });
                if let Some(service) = spec.get("serviceName") {
                    self.demand(document, self.built.find("Service", text(service)).is_some(), || {
                        format!("Service {service}")
                    });
                }
            }
            "Service" => self.service(document),
            "PodDisruptionBudget" => {
                self.demand(document, self.built.finds_pods(&spec["selector"]), || "pod for it".to_owned());
            }
            "NetworkPolicy" => self.policy(document),
            "Ingress" => self.ingress(document),
            "ScaledObject" => {
                let target = text(&spec["scaleTargetRef"]["name"]);
                self.demand(document, self.built.find("Deployment", target).is_some(), || {
                    format!("Deployment {target}")
                });
                for trigger in list(&spec["triggers"]) {
                    let authentication = text(&trigger["authenticationRef"]["name"]);
                    let is_there = self.built.find("TriggerAuthentication", authentication).is_some();
                    self.demand(document, is_there, || format!("TriggerAuthentication {authentication}"));
                }
            }
            "TriggerAuthentication" => {
                for from in list(&spec["secretTargetRef"]) {
                    self.demand_secret(document, &from["name"], Some(&from["key"]));
                }
            }
            "ServiceMonitor" => {
                let found: Vec<_> = self
                    .built
                    .all("Service")
                    .filter(|service| matches(&spec["selector"], &service.labels()))
                    .collect();
                let with_ports = found.iter().all(|service| {
                    list(&spec["endpoints"])
                        .iter()
                        .all(|endpoint| service_port(service, &endpoint["port"]).is_some())
                });
                self.demand(document, !found.is_empty() && with_ports, || "Service with its port".to_owned());
            }
            _ => {}
        }
    }

    fn pods_of(&mut self, document: &Document) {
        let Some(template) = document.template() else { return };
        let spec = template.spec();
        if let Some(account) = spec.get("serviceAccountName") {
            self.demand(document, self.built.find("ServiceAccount", text(account)).is_some(), || {
                format!("ServiceAccount {account}")
            });
        }
        if let Some(class) = spec.get("priorityClassName") {
            self.demand(document, self.built.find("PriorityClass", text(class)).is_some(), || {
                format!("PriorityClass {class}")
            });
        }
        let claimed: BTreeSet<&str> = list(&document.spec()["volumeClaimTemplates"])
            .iter()
            .map(|claim| text(&claim["metadata"]["name"]))
            .collect();
        let mounts: BTreeSet<&str> = template
            .containers()
            .flat_map(|container| list(&container.content["volumeMounts"]))
            .map(|mount| text(&mount["name"]))
            .collect();
        for mount in &mounts {
            self.demand(document, template.volume(mount).is_some() || claimed.contains(mount), || {
                format!("volume {mount}")
            });
        }
        for volume in list(&spec["volumes"]) {
            let name = text(&volume["name"]);
            self.demand(document, mounts.contains(name), || format!("container that mounts {name}"));
            if let Some(map) = volume.pointer("/configMap/name") {
                self.demand(document, self.built.find("ConfigMap", text(map)).is_some(), || {
                    format!("ConfigMap {map}")
                });
            }
            let may_miss = volume.pointer("/secret/optional") == Some(&Value::Bool(true));
            if let Some(secret) = volume.pointer("/secret/secretName").filter(|_| !may_miss) {
                self.demand_secret(document, secret, None);
            }
            for item in volume.pointer("/secret/items").map(list).unwrap_or_default() {
                self.demand_secret(document, &volume["secret"]["secretName"], Some(&item["key"]));
            }
            if let Some(claim) = volume.pointer("/persistentVolumeClaim/claimName") {
                let is_there = self.built.find("PersistentVolumeClaim", text(claim)).is_some();
                self.demand(document, is_there, || format!("PersistentVolumeClaim {claim}"));
            }
        }
        for container in template.containers() {
            let ports: BTreeSet<String> = container.ports().map(|(name, _)| name).collect();
            for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                let probe = &container.content[probe];
                for port in
                    [probe.pointer("/httpGet/port"), probe.pointer("/tcpSocket/port")].into_iter().flatten()
                {
                    self.demand(document, ports.contains(text(port)), || format!("port {port} for a probe"));
                }
            }
        }
    }

    fn service(&mut self, document: &Document) {
        let selector = serde_json::json!({ "matchLabels": document.spec()["selector"] });
        let pods = self.built.pods();
        let selected: Vec<_> = pods.values().filter(|(labels, _)| matches(&selector, labels)).collect();
        self.demand(document, !selected.is_empty(), || "pod for it".to_owned());
        for port in list(&document.spec()["ports"]) {
            let target = text(&port["targetPort"]);
            let have = selected.iter().all(|(_, ports)| ports.contains_key(target));
            self.demand(document, have, || format!("port {target} of its pods"));
        }
    }

    fn ingress(&mut self, document: &Document) {
        for tls in list(&document.spec()["tls"]) {
            self.demand_secret(document, &tls["secretName"], None);
        }
        for path in list(&document.spec()["rules"]).iter().flat_map(|rule| list(&rule["http"]["paths"])) {
            let service = &path["backend"]["service"];
            let found = self.built.find("Service", text(&service["name"]));
            let has_port = found.is_some_and(|found| service_port(found, &service["port"]["name"]).is_some());
            self.demand(document, has_port, || format!("Service {service}"));
        }
    }

    fn policy(&mut self, document: &Document) {
        let spec = document.spec();
        let selected = &spec["podSelector"];
        self.demand(document, self.built.finds_pods(selected), || "pod that it is about".to_owned());
        for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
            for rule in list(&spec[direction]) {
                let peers = list(&rule[peers]);
                let here: Vec<&Value> = peers
                    .iter()
                    .filter(|peer| peer.get("namespaceSelector").is_none())
                    .filter_map(|peer| peer.get("podSelector"))
                    .collect();
                for peer in &here {
                    self.demand(document, self.built.finds_pods(peer), || {
                        format!("pod that {direction} means: {peer}")
                    });
                }
                let called: Vec<&Value> = if direction == "ingress" { vec![selected] } else { here };
                for port in list(&rule["ports"]).iter().filter_map(|port| port["port"].as_str()) {
                    let pods = self.built.pods();
                    let has = pods.values().any(|(labels, ports)| {
                        ports.contains_key(port) && called.iter().any(|selector| matches(selector, labels))
                    });
                    self.demand(document, has, || format!("port {port} of the pods that {direction} means"));
                }
            }
        }
    }
}

fn service_port<'a>(service: &'a Document, name: &Value) -> Option<&'a Value> {
    list(&service.spec()["ports"]).iter().find(|port| port["name"] == *name)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
