use rust_decimal::Decimal;

use crate::{
    ConnectionName, InvalidName, LineKey, LinkId, PropertyName, RecordId, System, SystemPair, Value,
};

#[test]
fn equal_amounts_are_equal_values_however_they_are_written() {
    let short: Decimal = "1.1".parse().unwrap();
    let long: Decimal = "1.10".parse().unwrap();
    assert_eq!(Value::Decimal(short), Value::Decimal(long));
    assert_eq!(Value::Decimal(long).to_string(), "1.1");
}

#[test]
fn a_connection_name_that_a_routing_key_could_not_carry_is_refused() {
    assert_eq!(
        ConnectionName::parse("acme.nl"),
        Err(InvalidName::Character { kind: "connection name", character: '.' })
    );
    assert_eq!(ConnectionName::parse(""), Err(InvalidName::Empty { kind: "connection name" }));
    assert!(ConnectionName::parse("acme-nl").is_ok());
}

#[test]
fn two_services_that_see_one_record_name_the_same_link() {
    let record = RecordId::parse("c17").unwrap();
    assert_eq!(LinkId::begun_by(System::CustomCrm, &record), LinkId::begun_by(System::CustomCrm, &record));
    assert_ne!(LinkId::begun_by(System::CustomCrm, &record), LinkId::begun_by(System::ExactOnline, &record));
}

#[test]
fn each_system_has_the_other_and_a_name_that_reads_back() {
    for system in System::BOTH {
        assert_eq!(system.other().other(), system);
        assert_ne!(system.other(), system);
        assert_eq!(System::from_name(system.name()), Some(system));
    }
    let pair = SystemPair { customcrm: 1, exactonline: 2 };
    assert_eq!(pair[System::ExactOnline], 2);
    assert_eq!(pair.swapped()[System::ExactOnline], 1);
}

#[test]
fn a_cell_of_a_line_tells_its_line_its_property_and_its_row_whatever_the_line_is_called() {
    let (lines, row) =
        (PropertyName::parse("Lines").unwrap(), PropertyName::parse("Lines.Quantity").unwrap());
    assert_eq!((row.property(), row.cell(), row.line()), ("Quantity", None, None));
    for id in ["L1", "a.b", "[x]", "]["] {
        let key = LineKey::begun_by(System::CustomCrm, &RecordId::parse(id).unwrap());
        let cell = PropertyName::in_line(&key, &row);
        assert_eq!(cell.cell(), Some((key.as_str(), "Quantity")));
        assert_eq!((cell.row(), cell.line()), (row.clone(), Some(key.clone())));
        let presence = PropertyName::of_line(&lines, &key);
        assert_eq!(presence.cell(), Some((key.as_str(), "")));
        assert_eq!((presence.row(), presence.line()), (lines.clone(), Some(key)));
    }
}
