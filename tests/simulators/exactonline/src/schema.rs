//! What the entities look like: tables of properties and the endpoints over them, all read from data.
//!
//! Each line of a file in `tables/` is one property of the API: its name, its Edm type, who may write it
//! and the rules that the service holds it to. A further entity is a further file and a few lines here.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::edm::Edm;

/// Who may write a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// On create and on change.
    Always,
    /// On create only.
    CreateOnly,
    /// Never: the service itself fills it.
    Never,
}

/// What the service fills in by itself when a record is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerValue {
    Created,
    Creator,
    Modified,
    Modifier,
    Division,
    Timestamp,
}

/// A property whose value follows from another one when it is read.
#[derive(Debug, Clone)]
pub(crate) enum Derived {
    /// `field` of the record, or of the code list entry, that the property `source` names.
    Mirror { source: usize, field: String },
    /// True when the property `source` holds `text`.
    Equals { source: usize, text: String },
}

/// One property of an entity, with the rules that hold for it.
#[derive(Debug, Clone)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) edm: Edm,
    pub(crate) access: Access,
    pub(crate) key: bool,
    pub(crate) mandatory: bool,
    pub(crate) nullable: bool,
    pub(crate) satisfies_mandatory_filter: bool,
    pub(crate) unique: bool,
    /// Absent on create: the highest number used plus one.
    pub(crate) assigned: bool,
    /// A read-only property that a write may name; its value is not looked at.
    pub(crate) tolerated: bool,
    /// An unknown code is stored as empty instead of being refused.
    pub(crate) lenient: bool,
    pub(crate) max_length: Option<usize>,
    /// Digits are stored with spaces on the left up to this width.
    pub(crate) padded: Option<usize>,
    pub(crate) one_of: Vec<String>,
    /// The table whose records this property refers to.
    pub(crate) reference: Option<String>,
    /// The code list that its values come from.
    pub(crate) list: Option<String>,
    /// The property that holds the code to which this property's code must belong.
    pub(crate) within: Option<usize>,
    pub(crate) derived: Option<Derived>,
    pub(crate) server: Option<ServerValue>,
    /// JSON text of the value of a new record that does not name the property.
    pub(crate) default: Option<String>,
    pub(crate) english: String,
    pub(crate) dutch: String,
}

/// The properties of the records of one table, with the ways to find them.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) properties: Vec<Property>,
    pub(crate) key: usize,
    /// The label of one record of this table, in English and in Dutch.
    pub(crate) labels: [&'static str; 2],
    /// Its number in the feed of deleted records, where it has one.
    pub(crate) deleted_type: Option<i64>,
    positions: HashMap<String, usize>,
}

impl Shape {
    /// The position of the property with exactly this name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// The position of the property that the service fills with `value`.
    pub(crate) fn server_position(&self, value: ServerValue) -> Option<usize> {
        self.properties.iter().position(|property| property.server == Some(value))
    }
}

/// Which family of the API an endpoint belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Pages of 60 records.
    Regular,
    /// Read only, pages of 1,000 records, `$select` needed.
    Bulk,
    /// Read only, pages of 1,000 records in the order of their row version.
    Sync,
}

/// One address of the API and the table behind it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// The path behind the division, as the documentation spells it.
    pub(crate) path: &'static str,
    pub(crate) family: Family,
    pub(crate) table: &'static str,
    pub(crate) type_name: &'static str,
    pub(crate) methods: &'static [&'static str],
    /// A list needs `$select` or `$top=1`.
    pub(crate) select_needed: bool,
    /// A list needs a filter on one of the properties that are marked so.
    pub(crate) filter_needed: bool,
    /// The only properties that may be filtered on; empty means all.
    pub(crate) only_filters: &'static [&'static str],
}

/// Every endpoint that serves records.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "crm/Accounts",
        family: Family::Regular,
        table: "accounts",
        type_name: "Exact.Web.Api.Models.Account",
        methods: &["GET", "POST", "PUT", "DELETE"],
        select_needed: true,
        filter_needed: true,
        only_filters: &[],
    },
    Endpoint {
        path: "bulk/CRM/Accounts",
        family: Family::Bulk,
        table: "accounts",
        type_name: "Exact.Web.Api.Models.Bulk.CRM.Account",
        methods: &["GET"],
        select_needed: true,
        filter_needed: false,
        only_filters: &[],
    },
    Endpoint {
        path: "sync/CRM/Accounts",
        family: Family::Sync,
        table: "accounts",
        type_name: "Exact.Web.Api.Models.Sync.CRM.Account",
        methods: &["GET"],
        select_needed: false,
        filter_needed: false,
        only_filters: &["Timestamp"],
    },
    Endpoint {
        path: "sync/Deleted",
        family: Family::Sync,
        table: "deleted",
        type_name: "Exact.Web.Api.Models.Sync.Deleted",
        methods: &["GET"],
        select_needed: false,
        filter_needed: false,
        only_filters: &["Timestamp", "EntityType"],
    },
    Endpoint {
        path: "system/Divisions",
        family: Family::Regular,
        table: "divisions",
        type_name: "Exact.Web.Api.Models.System.Division",
        methods: &["GET"],
        select_needed: false,
        filter_needed: false,
        only_filters: &[],
    },
    Endpoint {
        path: "users/Users",
        family: Family::Regular,
        table: "users",
        type_name: "Exact.Web.Api.Models.Users.User",
        methods: &["GET"],
        select_needed: false,
        filter_needed: false,
        only_filters: &[],
    },
];

/// The endpoint of a path behind the division; service and resource in any case.
pub(crate) fn endpoint(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.path.eq_ignore_ascii_case(path))
}

/// All shapes, by the name of their table.
pub(crate) static SHAPES: LazyLock<HashMap<&'static str, Shape>> = LazyLock::new(|| {
    [
        shape("accounts", include_str!("tables/accounts.tsv"), ["Account", "Relatie"], Some(2)),
        shape("users", include_str!("tables/users.tsv"), ["User", "Gebruiker"], None),
        shape("divisions", include_str!("tables/divisions.tsv"), ["Company", "Administratie"], None),
        shape("deleted", include_str!("tables/deleted.tsv"), ["Deleted", "Verwijderd"], None),
        shape("me", include_str!("tables/me.tsv"), ["User", "Gebruiker"], None),
    ]
    .into_iter()
    .map(|shape| (shape.name, shape))
    .collect()
});

/// The shape of a table that is named in [`ENDPOINTS`] or in [`SHAPES`].
pub(crate) fn shape_of(table: &str) -> &'static Shape {
    SHAPES.get(table).expect("every table named in the source has a shape")
}

fn shape(name: &'static str, text: &str, labels: [&'static str; 2], deleted_type: Option<i64>) -> Shape {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let positions: HashMap<String, usize> =
        lines.iter().enumerate().map(|(position, cells)| (cells[0].to_owned(), position)).collect();
    let properties: Vec<Property> = lines.iter().map(|cells| property(cells, &positions)).collect();
    let key = properties.iter().position(|property| property.key).expect("every table names its key");
    Shape { name, properties, key, labels, deleted_type, positions }
}

fn property(cells: &[&str], positions: &HashMap<String, usize>) -> Property {
    let mut property = Property {
        name: cells[0].to_owned(),
        edm: Edm::named(cells[1]).expect("the tables hold known Edm types"),
        access: match cells[2] {
            "rw" => Access::Always,
            "c" => Access::CreateOnly,
            _ => Access::Never,
        },
        key: false,
        mandatory: false,
        nullable: true,
        satisfies_mandatory_filter: false,
        unique: false,
        assigned: false,
        tolerated: false,
        lenient: false,
        max_length: None,
        padded: None,
        one_of: Vec::new(),
        reference: None,
        list: None,
        within: None,
        derived: None,
        server: None,
        default: None,
        english: cells[0].to_owned(),
        dutch: cells[0].to_owned(),
    };
    for rule in cells.get(3).unwrap_or(&"").split_whitespace() {
        let (word, argument) = rule.split_once('=').unwrap_or((rule, ""));
        apply(&mut property, word, argument, positions);
    }
    property
}

fn apply(property: &mut Property, word: &str, argument: &str, positions: &HashMap<String, usize>) {
    let number = || argument.parse().expect("lengths in the tables are numbers");
    let at = |name: &str| *positions.get(name).expect("rules name properties of their own table");
    let pair = || argument.split_once(':').expect("mirror and when have two parts");
    match word {
        "key" => property.key = true,
        "mandatory" => property.mandatory = true,
        "not-null" => property.nullable = false,
        "filter" => property.satisfies_mandatory_filter = true,
        "unique" => property.unique = true,
        "assigned" => property.assigned = true,
        "tolerated" => property.tolerated = true,
        "lenient" => property.lenient = true,
        "max" => property.max_length = Some(number()),
        "padded" => property.padded = Some(number()),
        "of" => property.one_of = argument.split(',').map(str::to_owned).collect(),
        "ref" => property.reference = Some(argument.to_owned()),
        "list" => property.list = Some(argument.to_owned()),
        "within" => property.within = Some(at(argument)),
        "default" => property.default = Some(argument.to_owned()),
        "en" => property.english = argument.replace('_', " "),
        "nl" => property.dutch = argument.replace('_', " "),
        "mirror" => {
            let (source, field) = pair();
            property.derived = Some(Derived::Mirror { source: at(source), field: field.to_owned() });
        }
        "when" => {
            let (source, text) = pair();
            property.derived = Some(Derived::Equals { source: at(source), text: text.to_owned() });
        }
        "server" => property.server = Some(server_value(argument)),
        unknown => unreachable!("the tables use no rule `{unknown}`"),
    }
}

fn server_value(name: &str) -> ServerValue {
    match name {
        "created" => ServerValue::Created,
        "creator" => ServerValue::Creator,
        "modified" => ServerValue::Modified,
        "modifier" => ServerValue::Modifier,
        "division" => ServerValue::Division,
        "timestamp" => ServerValue::Timestamp,
        unknown => unreachable!("the tables use no server value `{unknown}`"),
    }
}
