//! The records that are there from the start: users, divisions and the lists of codes.

use uuid::Uuid;

use crate::codes::{self, Code};
use crate::database::{Key, wall_clock_at};
use crate::edm::Value;
use crate::schema::shape_of;
use crate::service::Service;
use crate::settings::Person;
use crate::write::fill;

/// The tables that show a code list, and the list.
const CODE_TABLES: [(&str, &str); 4] = [
    ("units", "unit"),
    ("item_groups", "item_group"),
    ("vat_codes", "vat"),
    ("payment_conditions", "payment"),
];

impl Service {
    /// Makes a user known.
    pub(crate) fn add_person(&mut self, person: Person) {
        let now = self.now();
        let wall = Value::DateTime(wall_clock_at(now, &self.zone));
        let text = |text: &str| Value::Text(text.to_owned());
        let (first, last) = person.full_name.split_once(' ').unwrap_or((&person.full_name, ""));
        let row = fill(
            shape_of("users"),
            None,
            now,
            &[
                ("UserID", Value::Guid(person.id)),
                ("FullName", text(&person.full_name)),
                ("FirstName", text(first)),
                ("LastName", text(last)),
                ("Email", text(&person.email)),
                ("UserName", text(&person.email)),
                ("Language", text("nl-NL")),
                ("Customer", Value::Guid(Uuid::nil())),
                ("StartDivision", Value::Integer(i64::from(self.division))),
                ("HasTwoStepVerification", Value::Boolean(true)),
                ("HasRegisteredForTwoStepVerification", Value::Boolean(true)),
                ("IsAnonymised", Value::Integer(0)),
                ("Created", wall.clone()),
                ("Modified", wall),
            ],
        );
        self.database.store("users", Key::Guid(person.id), row);
        self.people.push(person);
    }

    /// Makes the divisions known.
    pub(crate) fn add_divisions(&mut self) {
        let now = self.now();
        let wall = Value::DateTime(wall_clock_at(now, &self.zone));
        let text = |text: &str| Value::Text(text.to_owned());
        for division in self.divisions.clone() {
            let row = fill(
                shape_of("divisions"),
                None,
                now,
                &[
                    ("Code", Value::Integer(i64::from(division))),
                    ("Description", Value::Text(format!("Company {division}"))),
                    ("Hid", Value::Integer(i64::from(division))),
                    ("Country", text("NL")),
                    ("Currency", text("EUR")),
                    ("Legislation", text("1")),
                    ("Status", Value::Integer(1)),
                    ("BlockingStatus", Value::Integer(0)),
                    ("Current", Value::Boolean(division == self.division)),
                    ("IsMainDivision", Value::Boolean(division == self.division)),
                    ("Created", wall.clone()),
                    ("Modified", wall.clone()),
                ],
            );
            self.database.store("divisions", Key::Number(i64::from(division)), row);
            self.add_hrm_division(division, &wall);
            for (table, list) in CODE_TABLES {
                for code in codes::list(list) {
                    self.add_code(division, table, code);
                }
            }
        }
    }

    /// The same company as the list within its licence shows it, with properties and a status of its own.
    fn add_hrm_division(&mut self, division: i32, wall: &Value) {
        let text = |text: &str| Value::Text(text.to_owned());
        let row = fill(
            shape_of("hrm_divisions"),
            None,
            self.now(),
            &[
                ("Code", Value::Integer(i64::from(division))),
                ("Description", Value::Text(format!("Company {division}"))),
                ("HID", Value::Integer(i64::from(division))),
                ("Country", text("NL")),
                ("Currency", text("EUR")),
                ("Status", Value::Integer(0)),
                ("BlockingStatus", Value::Integer(0)),
                ("Main", Value::Boolean(division == self.division)),
                ("Created", wall.clone()),
                ("Modified", wall.clone()),
            ],
        );
        self.database.store("hrm_divisions", Key::Number(i64::from(division)), row);
    }

    fn add_code(&mut self, division: i32, table: &'static str, code: &Code) {
        let shape = shape_of(table);
        let id = ambient::new_random_id();
        let text = |text: &str| Value::Text(text.to_owned());
        let values = [
            ("ID", Value::Guid(id)),
            ("Code", text(code.code)),
            ("Description", text(code.name)),
            ("Division", Value::Integer(i64::from(division))),
            ("Active", Value::Boolean(true)),
            ("Main", Value::Integer(i64::from(code.code == "pc"))),
            ("Type", text(code.parent)),
            ("TimeUnit", if code.detail.is_empty() { Value::Null } else { text(code.detail) }),
            ("Percentage", code.field("Percentage")),
            ("IsBlocked", Value::Boolean(false)),
        ];
        let known: Vec<_> = values.into_iter().filter(|(name, _)| shape.position(name).is_some()).collect();
        let row = fill(shape, Some(division), self.now(), &known);
        self.database.store(table, Key::Guid(id), row);
    }
}
