use std::fs;
use std::path::Path;

use telemetry::Chain;

use super::{checked, told};

fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs")
}

#[test]
fn the_shipped_pairs_can_work_and_what_rests_is_told() {
    let text = told(&checked(&shipped()).unwrap());
    assert!(text.starts_with("customer-account: 25 properties\n  entities"), "{text}");
    assert!(
        text.contains("matched by          VatNumber, OrganizationNumber, CustomerNumber, Email"),
        "{text}"
    );
    assert!(text.contains("MainContactId, until"), "{text}");
}

#[test]
fn what_can_not_work_is_told_all_at_once_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(shipped().join("customer-account.toml")).unwrap();
    let text = text
        .replace("exactonline = \"Fax\"", "exactonline = \"Faxx\"")
        .replace("\"Edm.Guid\"", "\"Edm.Int32\"");
    fs::write(folder.path().join("pair.toml"), text).unwrap();
    let error = checked(folder.path()).unwrap_err();
    let told = Chain(&error).to_string();
    assert!(told.contains("pair.toml:") && told.matches("needs Edm.Guid").count() == 3, "{told}");

    let empty = tempfile::tempdir().unwrap();
    assert!(checked(empty.path()).unwrap_err().to_string().contains("holds no pair file"));
}
