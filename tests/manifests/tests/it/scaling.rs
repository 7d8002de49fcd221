//! What is scaled, by which queue, and how far.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Lane, Names};
use manifests::{Built, Document, OVERLAYS, top};
use mapping::Reading;
use servers::package::skipped;

/// The namespace of queues where the configuration names none.
const NAMESPACE: &str = "tandem";

async fn production() -> Option<Built> {
    match Built::of(OVERLAYS[2]).await {
        Ok(built) => Some(built),
        Err(missing) => {
            skipped(&missing);
            None
        }
    }
}

/// The queues that a document is scaled by.
fn queues(document: &Document) -> BTreeSet<String> {
    let triggers = document.spec()["triggers"].as_array().unwrap();
    triggers.iter().map(|trigger| trigger["metadata"]["queueName"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_queues_are_those_of_the_topology() {
    let Some(built) = production().await else { return };
    let pairs = service::load_pairs(&top().join("deploy/pairs"), Reading::Practical).unwrap();
    let topology = service::topology(NAMESPACE, &pairs);
    let scaled: BTreeSet<String> = built.own("ScaledObject").flat_map(queues).collect();
    assert_eq!(scaled, topology.work_queues.into_iter().collect());
}

#[tokio::test]
async fn each_service_is_scaled_by_its_own_queues() {
    let Some(built) = production().await else { return };
    let pairs = service::load_pairs(&top().join("deploy/pairs"), Reading::Practical).unwrap();
    let names = Names::new(NAMESPACE);
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pair in &pairs {
        expected.entry("mapper".to_owned()).or_default().insert(names.pair(&pair.name));
        expected.insert(format!("mapper-{}", pair.name), BTreeSet::from([names.pair(&pair.name)]));
    }
    for system in model::System::BOTH {
        let queues = Lane::BOTH.map(|lane| names.writes(system, lane));
        expected.insert(format!("writer-{system}"), BTreeSet::from(queues));
    }
    let scaled: BTreeMap<String, BTreeSet<String>> = built
        .own("ScaledObject")
        .map(|document| {
            (document.spec()["scaleTargetRef"]["name"].as_str().unwrap().to_owned(), queues(document))
        })
        .collect();
    assert_eq!(scaled, expected);
}

#[tokio::test]
async fn nobody_but_keda_says_how_many_there_are() {
    let Some(built) = production().await else { return };
    let scaled: BTreeSet<&str> = built
        .own("ScaledObject")
        .map(|document| document.spec()["scaleTargetRef"]["name"].as_str().unwrap())
        .collect();
    for deployment in built.own("Deployment") {
        let says = deployment.spec().get("replicas").is_some();
        assert_ne!(says, scaled.contains(deployment.name()), "{deployment}");
    }
    for document in built.own("ScaledObject") {
        let count = |key: &str| document.spec()[key].as_u64().unwrap();
        let (min, max) = (count("minReplicaCount"), count("maxReplicaCount"));
        let writes = document.name().starts_with("writer-");
        assert!(
            min < max && max <= if writes { 4 } else { 6 },
            "{document}: a writer is capped by the quota"
        );
    }
}

#[tokio::test]
async fn a_mapper_of_one_pair_serves_the_pair_that_it_is_scaled_by() {
    let Some(built) = production().await else { return };
    let mut served = BTreeSet::new();
    for (document, template) in built.templates() {
        let Some(pair) = document.name().strip_prefix("mapper-") else { continue };
        let container = template.containers().next().unwrap();
        assert!(container.arguments().ends_with(&["--pair".to_owned(), pair.to_owned()]), "{document}");
        served.insert(pair.to_owned());
    }
    let pairs = service::load_pairs(&top().join("deploy/pairs"), Reading::Practical).unwrap();
    assert_eq!(served, pairs.iter().map(|pair| pair.name.to_string()).collect());
}
