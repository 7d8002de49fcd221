//! What `tandem check` shows of a CRM that others wrote, declared as shipped.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crms::{Crm, JsonServer, PocketBase, skipped};
use customcrm::{Declaration, Finding, SearchedBy, Settings, Verdict, probe};

/// What the lines of a shipped declaration come to.
async fn probed(crm: &Crm, file: &str) -> Vec<Finding> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/customcrm").join(file);
    let declaration =
        Declaration::parse(&file.display().to_string(), &fs::read_to_string(&file).unwrap()).unwrap();
    let secret = crm.token().unwrap_or_default().to_owned();
    let settings = Settings::new(crm.url().parse().unwrap(), secret.into());
    let by = |entity: &str, property: &str| SearchedBy { entity: entity.into(), property: property.into() };
    let searched = BTreeSet::from([by("customers", "Name"), by("products", "Code")]);
    probe(&settings, &declaration, &searched).await.unwrap().findings
}

#[track_caller]
fn green(findings: &[Finding], lines: &[&str]) {
    let wrong: Vec<&Finding> = findings.iter().filter(|finding| finding.verdict == Verdict::Fails).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for line in lines {
        let finding = findings.iter().find(|finding| finding.line == *line);
        assert!(finding.is_some_and(|finding| finding.verdict == Verdict::Holds), "{line}: {finding:#?}");
    }
}

#[tokio::test]
async fn a_json_server_is_as_its_declaration_says() {
    let server = match JsonServer::start().await {
        Ok(server) => server,
        Err(missing) => return skipped(&missing),
    };
    let findings = probed(&server.crm, "json-server.toml").await;
    green(
        &findings,
        &["answer.list", "answer.lookup", "errors.statuses", "record.id", "paging.style", "search.parameter"],
    );
}

#[tokio::test]
async fn a_pocketbase_is_as_its_declaration_says() {
    let server = match PocketBase::start(None).await {
        Ok(server) => server,
        Err(missing) => return skipped(&missing),
    };
    let findings = probed(&server.crm, "pocketbase.toml").await;
    green(
        &findings,
        &[
            "authentication.scheme",
            "answer.list",
            "record.modified_at",
            "paging.style",
            "incremental.parameter",
            "search.parameter",
            "errors.message",
            "collections.orders.lines",
            "collections.users.email",
        ],
    );
}
