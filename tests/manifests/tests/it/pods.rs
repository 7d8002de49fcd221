//! How pods run: what the cluster may rely on, and what nobody gets.

use std::collections::BTreeSet;

use manifests::{Built, OVERLAYS};
use serde_json::{Value, json};

use crate::{assert_none, each_built};

#[tokio::test]
async fn every_container_runs_without_rights() {
    let Some(built) = each_built().await else { return };
    let mut found = Vec::new();
    for built in &built {
        for (document, template) in built.templates() {
            let mut demand = |is_so: bool, what: &str| {
                if !is_so {
                    found.push(format!("{}: {document}: {what}", built.overlay.folder));
                }
            };
            let pod = &template.spec()["securityContext"];
            demand(pod["runAsNonRoot"] == true && pod["runAsUser"].as_u64() > Some(0), "runs as root");
            demand(pod["seccompProfile"]["type"] == "RuntimeDefault", "may make any call of the system");
            demand(template.spec()["automountServiceAccountToken"] == false, "holds a token for the cluster");
            for container in template.containers() {
                let own = &container.content["securityContext"];
                demand(own["allowPrivilegeEscalation"] == false, "may get more rights");
                demand(own["capabilities"]["drop"] == json!(["ALL"]), "has capabilities");
                let writes = own["readOnlyRootFilesystem"] != true;
                let reasoned = document.content["metadata"]["annotations"].as_object().is_some_and(|notes| {
                    notes.values().any(|note| note.as_str().unwrap().starts_with("CKV_K8S_22="))
                });
                demand(!writes || reasoned, "writes into its root, and no annotation says why");
                let resources = &container.content["resources"];
                for kind in ["cpu", "memory", "ephemeral-storage"] {
                    let is_set = |list: &str| resources[list][kind].is_string();
                    demand(is_set("requests") && is_set("limits"), kind);
                }
            }
        }
    }
    assert_none(&found);
}

#[tokio::test]
async fn our_services_are_probed_by_progress_and_by_readiness() {
    let Some(built) = each_built().await else { return };
    let mut seen = 0;
    for built in &built {
        for (document, template) in built.templates() {
            for container in template.containers().filter(|container| container.content["name"] == "service")
            {
                let path = |probe: &str| container.content[probe]["httpGet"]["path"].clone();
                assert_eq!(
                    path("livenessProbe"),
                    "/health/live",
                    "{document}: liveness is progress, and not reachability"
                );
                assert_eq!(path("startupProbe"), "/health/live", "{document}");
                assert_eq!(path("readinessProbe"), "/health/ready", "{document}");
                seen += 1;
            }
        }
    }
    assert!(seen > 12, "{seen} services");
}

#[tokio::test]
async fn a_rolling_update_takes_nothing_away_before_its_successor_is_ready() {
    let Some(built) = each_built().await else { return };
    for built in built.iter().filter(|built| built.overlay.folder != "overlays/all-in-one") {
        for deployment in built
            .own("Deployment")
            .filter(|deployment| deployment.labels().contains_key("app.kubernetes.io/component"))
        {
            let rolling =
                json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } });
            assert_eq!(deployment.spec()["strategy"], rolling, "{deployment}");
        }
    }
}

#[tokio::test]
async fn one_process_has_the_file_of_links_for_itself() {
    let Some(built) = each_built().await else { return };
    let alone: Vec<&Built> =
        built.iter().filter(|built| built.overlay.folder == OVERLAYS[0].folder).collect();
    let deployment = alone[0].own("Deployment").next().unwrap();
    assert_eq!(deployment.spec()["replicas"], 1);
    assert_eq!(deployment.spec()["strategy"], json!({ "type": "Recreate" }));
}

#[tokio::test]
async fn every_image_is_one_that_the_dockerfile_builds() {
    let Some(built) = each_built().await else { return };
    let targets = crate::dockerfile::targets();
    let mut ours = BTreeSet::new();
    for (document, container) in built
        .iter()
        .flat_map(Built::templates)
        .flat_map(|(document, template)| template.containers().map(move |container| (document, container)))
    {
        assert!(
            container.content["image"].as_str().unwrap().contains(':'),
            "{document}: an image without a tag"
        );
        if container.is_ours() {
            assert_eq!(
                container.content.get("command"),
                None::<&Value>,
                "{document}: the image says what it runs"
            );
            ours.insert(container.program().to_owned());
        }
    }
    assert!(ours.is_subset(&targets), "{ours:?} of {targets:?}");
    let left: Vec<_> = targets.difference(&ours).collect();
    assert!(left.is_empty(), "no manifest uses {left:?}");
}
