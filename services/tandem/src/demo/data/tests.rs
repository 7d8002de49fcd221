#![allow(clippy::unwrap_used)]

use std::fs;

use model::{Content, System};

use super::{Book, DataProblem};

/// A folder with these files, and what the book in it says.
fn load(users: &str, customers: &str, accounts: &str) -> Result<Book, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [("users.csv", users), ("customers.csv", customers), ("accounts.csv", accounts)] {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let prefix = format!("{}/", folder.path().display());
    Book::load(Some(folder.path())).map_err(|problems| told(&problems, &prefix))
}

fn told(problems: &[DataProblem], prefix: &str) -> Vec<String> {
    problems.iter().map(|problem| problem.to_string().replace(prefix, "")).collect()
}

const USERS: &str =
    "System,FirstName,LastName,Email\ncustomcrm,Ann,Öz,Ann@a.example\nexactonline,Bo,Vis,bo@a.example\n";
const ACCOUNTS: &str = "Code,Name\n7,Acme\n";

#[test]
fn the_built_in_book_is_right_and_has_companies_on_both_sides() {
    let book = Book::load(None).unwrap();
    for system in System::BOTH {
        assert!(book.records[system].len() > 50 && book.people[system].len() > 2, "{system}");
    }
    let names = |system: System| {
        let name = |entry: &super::Entry| entry.properties["Name"].as_text().unwrap().to_owned();
        book.records[system].iter().map(name).collect::<std::collections::BTreeSet<_>>()
    };
    assert!(names(System::CustomCrm).intersection(&names(System::ExactOnline)).count() > 10);
}

#[test]
fn a_parent_comes_before_its_children_and_cells_become_what_their_column_holds() {
    let customers = "\u{feff}Name,CustomerNumber,Parent,Owner,DiscountPercent,IsActive,City\n\
                     Child,2,1,ANN@a.example,5.50,false,\nParent,1,,,,TRUE, Delft \n";
    let book = load(USERS, customers, ACCOUNTS).unwrap();
    let [parent, child] = &book.records[System::CustomCrm][..] else { panic!("{book:?}") };
    assert_eq!((parent.number.as_deref(), parent.line), (Some("1"), 3));
    assert_eq!((child.parent.as_deref(), child.owner.as_deref()), (Some("1"), Some("ann@a.example")));
    assert_eq!(child.properties["DiscountPercent"], Content::Number("5.50".parse().unwrap()));
    assert_eq!(child.properties["IsActive"], Content::Boolean(false));
    assert_eq!(parent.properties["City"], Content::from("Delft"));
    assert!(!child.properties.contains_key("City"), "an empty cell says nothing");
    assert_eq!(book.people[System::CustomCrm][0].full_name, "Ann Öz");
}

#[test]
fn all_problems_of_all_files_are_told_at_once_and_no_value_is() {
    let users = "System,Email\nsap,x@a.example\ncustomcrm,nobody\nexactonline,bo@a.example\nexactonline,BO@a.example\n";
    let customers = "CustomerNumber,Name,Owner,Parent,DiscountPercent,IsActive,Status,Shoe\n\
                     1,A,stranger@a.example,9,5%,perhaps,Friend,44\n1,,,,,,,\n3,C,,4,,,,\n4,D,,3,,,,\n5,E\n";
    let problems = load(users, customers, "Code\n7\n").unwrap_err();
    let expected = [
        "users.csv:2: System: names no system: write customcrm or exactonline",
        "users.csv:3: Email: is no e-mail address: write one, users are known by it",
        "users.csv:5: Email: is that of an earlier line of this system: remove one",
        "users.csv: has no user of customcrm: add one, somebody has to edit there",
        "customers.csv:1: Shoe: is no column of this file: remove it; known are CustomerNumber, Name, Org",
        "customers.csv:6: has 2 cells where the header has 8: put a text that holds a comma into double quotes",
        "customers.csv:2: Status: is no status of customcrm: write one of None, Suspect, Prospect, Customer",
        "customers.csv:2: DiscountPercent: is no number: write it as 7500.50, without thousands separators",
        "customers.csv:2: Owner: is the e-mail address of no user of customcrm in users.csv: add the user, or correct it",
        "customers.csv:2: IsActive: is neither true nor false: write one of them",
        "customers.csv:3: Name: is empty: a company needs a name",
        "customers.csv:3: CustomerNumber: is that of line 2: keep one",
        "customers.csv:2: Parent: is the CustomerNumber of no line: correct it",
        "customers.csv:4: Parent: leads back to this line: break the circle",
        "customers.csv:5: Parent: leads back to this line: break the circle",
        "accounts.csv:1: Name: is missing: add the column",
    ];
    for (told, expected) in problems.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}\nis not\n{expected}");
    }
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for value in ["stranger", "5%", "perhaps", "Friend", "44", "sap"] {
        assert!(problems.iter().all(|problem| !problem.contains(value)), "{value} is told in {problems:#?}");
    }
}

#[test]
fn every_file_that_is_missing_or_no_text_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("accounts.csv"), [0xff, 0xfe, b'N']).unwrap();
    let problems = told(&Book::load(Some(folder.path())).unwrap_err(), "");
    assert_eq!(problems.len(), 3, "{problems:#?}");
    for file in ["users.csv", "customers.csv", "accounts.csv"] {
        assert!(problems.iter().any(|problem| problem.contains(file)), "{file}");
    }
}
