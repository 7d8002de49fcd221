//! Overlays and examples, as Kustomize builds them.

use std::collections::BTreeMap;

use servers::package::Missing;

use crate::tools::printed;
use crate::{Container, Document, Secrets, Template, kubectl, matches};

/// A folder that Kustomize builds.
#[derive(Debug, Clone, Copy)]
pub struct Overlay {
    /// Where it lies, from `deploy/kubernetes`.
    pub folder: &'static str,
    /// The overlay whose cluster it is applied to, for an example.
    pub beside: Option<&'static str>,
    /// The file, from `deploy/kubernetes`, whose commands make the Secrets that it refers to.
    pub secrets: &'static str,
}

/// What is applied as it is, or copied and changed.
pub const OVERLAYS: [Overlay; 3] = [
    Overlay { folder: "overlays/all-in-one", beside: None, secrets: "README.md" },
    Overlay { folder: "overlays/dev", beside: None, secrets: "overlays/dev/secrets.sh" },
    Overlay { folder: "overlays/production", beside: None, secrets: "README.md" },
];

/// Servers that may run beside the production overlay.
pub const EXAMPLES: [Overlay; 2] = [
    Overlay { folder: "examples/rabbitmq", beside: Some("overlays/production"), secrets: "README.md" },
    Overlay { folder: "examples/redis", beside: Some("overlays/production"), secrets: "README.md" },
];

/// The labels of pods, and their named ports.
pub type Pods = (BTreeMap<String, String>, BTreeMap<String, u64>);

/// An overlay as it was built.
#[derive(Debug)]
pub struct Built {
    /// Which.
    pub overlay: Overlay,
    /// Its own documents.
    pub own: Vec<Document>,
    /// All that are in its cluster then.
    pub all: Vec<Document>,
    /// What is known of Secrets.
    pub secrets: Secrets,
}

impl Built {
    /// Builds an overlay.
    pub async fn of(overlay: Overlay) -> Result<Self, Missing> {
        let kubectl = kubectl().await?;
        let build = async |folder: &str| {
            let path = format!("deploy/kubernetes/{folder}");
            Document::all(&printed(&kubectl, &["kustomize", &path]).await)
        };
        let own = build(overlay.folder).await;
        let mut all = own.clone();
        if let Some(beside) = overlay.beside {
            all.extend(build(beside).await);
        }
        Ok(Self { overlay, own, all, secrets: Secrets::made_by(overlay.secrets) })
    }

    /// Builds all of them.
    pub async fn each() -> Result<Vec<Self>, Missing> {
        let mut built = Vec::new();
        for overlay in OVERLAYS.into_iter().chain(EXAMPLES) {
            built.push(Self::of(overlay).await?);
        }
        Ok(built)
    }

    /// Its own documents of a kind.
    pub fn own(&self, kind: &str) -> impl Iterator<Item = &Document> {
        self.own.iter().filter(move |document| document.kind() == kind)
    }

    /// All documents of a kind.
    pub fn all(&self, kind: &str) -> impl Iterator<Item = &Document> {
        self.all.iter().filter(move |document| document.kind() == kind)
    }

    /// The document of this kind and name.
    pub fn find(&self, kind: &str, name: &str) -> Option<&Document> {
        self.all(kind).find(|document| document.name() == name)
    }

    /// Its own documents that make pods, with the template of these.
    pub fn templates(&self) -> impl Iterator<Item = (&Document, Template<'_>)> {
        self.own.iter().filter_map(|document| Some((document, document.template()?)))
    }

    /// The labels and the named ports of the pods that are in the cluster then, by what makes them.
    pub fn pods(&self) -> BTreeMap<String, Pods> {
        let of_template = |document: &Document| {
            let template = document.template()?;
            let ports = template.containers().flat_map(Container::ports).collect();
            Some((document.to_string(), (template.labels(), ports)))
        };
        let of_operator = |document: &Document| {
            // The operator labels the pods that it makes so.
            let labels = BTreeMap::from([("app.kubernetes.io/name".to_owned(), document.name().to_owned())]);
            (document.kind() == "RabbitmqCluster").then(|| (document.to_string(), (labels, BTreeMap::new())))
        };
        self.all
            .iter()
            .filter_map(|document| of_template(document).or_else(|| of_operator(document)))
            .collect()
    }

    /// Whether a selector finds any pod.
    pub fn finds_pods(&self, selector: &serde_json::Value) -> bool {
        self.pods().values().any(|(labels, _)| matches(selector, labels))
    }
}
