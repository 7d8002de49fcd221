use std::fs;
use std::path::Path;

use mapping::Reading;
use telemetry::Chain;

use super::{checked, told};

fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs")
}

#[test]
fn the_shipped_pairs_can_work_and_what_rests_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(shipped().join("customer-account.toml"), folder.path().join("customer-account.toml")).unwrap();
    let text = told(checked(folder.path()).unwrap().of(Reading::Practical), Reading::Practical);
    assert!(
        text.starts_with("1 pairs in the practical reading\n\ncustomer-account: 25 properties\n"),
        "{text}"
    );
    assert!(text.contains("VatNumber, then OrganizationNumber, then CustomerNumber, then Email"), "{text}");
    assert!(text.contains("MainContactId, until"), "{text}");
}

#[test]
fn all_seven_pairs_can_work_in_both_readings_and_who_writes_first_is_told() {
    let pairs = checked(&shipped()).unwrap();
    for reading in Reading::ALL {
        let text = told(pairs.of(reading), reading);
        assert!(text.starts_with(&format!("7 pairs in the {reading} reading")), "{text}");
        assert!(!text.contains("Rests"), "{text}");
        let first = |property: &str| text.lines().find(|line| line.contains(property)).unwrap_or_default();
        let description = first("exactonline quotations.Description ");
        assert!(description.contains("quote-quotation, order-quotation"), "{description:?} {text}");
    }
    let practical = told(pairs.of(Reading::Practical), Reading::Practical);
    assert!(practical.contains("records with QuoteId filled, or with Status Draft or Open"), "{practical}");
    assert!(practical.contains("in neither system"), "{practical}");
}

#[test]
fn a_price_that_is_written_to_exact_s_price_records_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(shipped().join("product-item.toml")).unwrap();
    let told_of = |text: &str| {
        fs::write(folder.path().join("product-item.toml"), text).unwrap();
        checked(folder.path()).map(|pairs| told(pairs.of(Reading::Practical), Reading::Practical))
    };
    assert!(!told_of(&text).unwrap().contains("Written apart"));
    let both = "direction = \"to-crm\"\nwritten_to = \"SalesItemPrices\"";
    let switched_on = text.replacen("# written_to", "written_to", 1);
    assert!(switched_on.contains(both));
    // Uncommenting it beside the direction is refused with what is to be done.
    let refused = Chain(&told_of(&switched_on).unwrap_err()).to_string();
    assert!(refused.contains("leave direction = \"to-crm\" out, or written_to"), "{refused}");
    let told = told_of(&switched_on.replacen(both, "written_to = \"SalesItemPrices\"", 1)).unwrap();
    assert!(told.contains("Written apart               StandardSalesPrice, to the record's own"), "{told}");
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
