use proptest::prelude::*;

use super::*;
use crate::labelled;

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

#[test]
fn a_labelled_text_is_a_line_of_exacts_text() {
    let lens = Lens::Labelled { label: label("E-mail") };
    assert_both(
        &lens,
        &value("eva@example.com"),
        &content("eva@example.com"),
        &content("E-mail: eva@example.com"),
    );
    let text = "Called twice.\r\n  e-MAIL :eva@example.com \r\nPhone: 12:30";
    assert_eq!(get(&lens, EXACT, &content(text)), Ok(value("eva@example.com")));
    for without in ["Called twice.", "My E-mail: x", "E-mail", "E-mail:", "E-mails: x"] {
        assert_eq!(get(&lens, EXACT, &content(without)), Ok(Value::Empty), "{without:?}");
    }
}

#[test]
fn a_text_of_several_lines_is_labelled_as_one() {
    let lens = Lens::Labelled { label: label("Note") };
    let told = content("first\r\n\r\n second \nE-mail: third");
    assert_eq!(get(&lens, CRM, &told), Ok(value("first second E-mail: third")));
    let written = put(&lens, EXACT, &value("first\nE-mail: third"));
    assert_eq!(written, Ok(content("Note: first E-mail: third")));
}

#[test]
fn several_rows_share_a_text_and_keep_the_rest_of_it() {
    let (mail, phone) = (label("E-mail"), label("Phone"));
    let text = "Knows the product well.\r\nPHONE: 06\r\n\r\nPrefers mornings: yes\nphone: 07";
    let rest = labelled::rest(text, &[&mail, &phone]);
    assert_eq!(rest, "Knows the product well.\n\nPrefers mornings: yes");
    let written = labelled::write(&[(&mail, "eva@example.com"), (&phone, "")], &rest);
    assert_eq!(written, "E-mail: eva@example.com\nKnows the product well.\n\nPrefers mornings: yes");
    assert_eq!(labelled::read(&written, &phone), "");
    assert_eq!(labelled::write(&[(&mail, "")], " "), "");
    assert_eq!(labelled::write(&[(&mail, "eva\r\nPhone: 06")], ""), "E-mail: eva Phone: 06");
}

#[test]
fn a_label_that_could_not_be_told_from_a_text_is_refused() {
    for text in ["", " ", " E-mail", "E-mail ", "E:mail", "E\nmail", "E\rmail"] {
        assert!(Label::parse(text).is_err(), "{text:?}");
    }
    assert!(label("Straße").is_same(&label("straße")));
    assert!(!label("Phone").is_same(&label("Phones")));
}

proptest! {
    #[test]
    fn what_is_written_under_labels_is_read_back_with_the_rest(
        mail: String, phone in "[a-z:\r\n ]{0,20}", text in "(\\PC|[\r\n]|E-mail: |phone:){0,40}",
    ) {
        let labels = [label("E-mail"), label("Phone")];
        let all = [&labels[0], &labels[1]];
        let lenses = labels.clone().map(|label| Lens::Labelled { label });
        let canonical = |lens: &Lens, text: &str| match get(lens, CRM, &content(text)) {
            Ok(Value::Text(text)) => text,
            _ => String::new(),
        };
        let (mail, phone) = (canonical(&lenses[0], &mail), canonical(&lenses[1], &phone));
        let rest = labelled::rest(&text, &all);
        let written = labelled::write(&[(all[0], &mail), (all[1], &phone)], &rest);
        prop_assert_eq!(labelled::read(&written, all[0]), mail);
        prop_assert_eq!(labelled::read(&written, all[1]), phone);
        prop_assert_eq!(labelled::rest(&written, &all), rest);
    }
}
