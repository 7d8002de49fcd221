//! The AsyncAPI document of the queues, for the pairs that ship with this program.

use mapping::Reading;
use service::ServiceError;

use crate::shipped;

/// The document, as YAML.
pub(crate) fn asyncapi() -> Result<String, ServiceError> {
    let document = contract::asyncapi(&service::topology("tandem", &shipped::pairs(Reading::Practical)?));
    let text = serde_norway::to_string(&document).expect("a JSON value is YAML too");
    Ok(format!("# Printed by `tandem schema queues`; a test holds it against what is declared.\n{text}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;

    #[test]
    fn the_document_in_deploy_is_what_services_declare_and_send() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/asyncapi.yaml");
        let written = std::fs::read_to_string(file).unwrap_or_default();
        let again = "write it anew: tandem schema queues > deploy/asyncapi.yaml";
        assert!(written == asyncapi().unwrap(), "deploy/asyncapi.yaml is not what services declare; {again}");
    }
}
