//! Each document is of a kind that is known, and says nothing that its schema does not know.

use manifests::{problems, validated};
use servers::package::skipped;

use crate::{assert_none, each_built};

#[tokio::test]
async fn every_document_is_as_its_schema_has_it() {
    let Some(built) = each_built().await else { return };
    let mut found = Vec::new();
    for built in &built {
        assert!(built.own.len() > 1, "{} builds something", built.overlay.folder);
        let problems = problems(&built.own).await.unwrap();
        found.extend(problems.into_iter().map(|problem| format!("{}: {problem}", built.overlay.folder)));
    }
    assert_none(&found);
}

#[tokio::test]
async fn a_mistake_is_found() {
    let head = "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n";
    let scaled = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata:\n  name: a\nspec:\n  scaleTargetRef: { name: a }\n  minReplicaCount: 1\n  maxReplicaCount: 2\n";
    let cases = [
        (format!("{head}spec:\n  ports: [{{ port: 80 }}]\n"), ""),
        (format!("{head}spec:\n  ports: [{{ port: \"many\" }}]\n"), "'many' is not of type 'integer'"),
        (format!("{head}spec:\n  prots: []\n"), "'prots' was unexpected"),
        (head.replace("v1", "v2"), "v2 Service is no kind that is known"),
        (head.replace("Service", "Servise"), "v1 Servise is no kind that is known"),
        (
            "apiVersion: example.com/v1\nkind: Shop\nmetadata: { name: a }\n".to_owned(),
            "no kind that is known",
        ),
        (format!("{scaled}  triggers: []\n"), "non-empty"),
        (format!("{scaled}  triggers: []\n").replace("maxR", "maxiR"), "'maxiReplicaCount' was unexpected"),
    ];
    for (document, expected) in cases {
        match validated(&document).await {
            Err(missing) => return skipped(&missing),
            Ok(found) if expected.is_empty() => assert_none(&found),
            Ok(found) => assert!(found.iter().any(|found| found.contains(expected)), "{document}{found:?}"),
        }
    }
}
