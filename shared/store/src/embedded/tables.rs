//! What the file holds. Times are microseconds since 1970.

use redb::{
    MultimapTable, MultimapTableDefinition, ReadTransaction, Table, TableDefinition, TableError,
    WriteTransaction,
};

/// The expiry of an entry that does not expire.
pub(super) const FOR_GOOD: i64 = i64::MAX;

/// Key to revision, expiry and value.
pub(super) const ENTRIES: TableDefinition<'_, &str, (u64, i64, &str)> = TableDefinition::new("entries");
/// Expiry and key of the entries that expire.
pub(super) const EXPIRIES: TableDefinition<'_, (i64, &str), ()> = TableDefinition::new("expiries");
/// Key to members.
pub(super) const SETS: MultimapTableDefinition<'_, &str, &str> = MultimapTableDefinition::new("sets");
/// Key, time and member, in the order in which they are due.
pub(super) const SCHEDULES: TableDefinition<'_, (&str, i64, &str), ()> = TableDefinition::new("schedules");
/// Key and member to time.
pub(super) const SCHEDULED: TableDefinition<'_, (&str, &str), i64> = TableDefinition::new("scheduled");
/// Key and a growing number to value.
pub(super) const LISTS: TableDefinition<'_, (&str, u64), &str> = TableDefinition::new("lists");
/// Key to holder, token and expiry.
pub(super) const LEASES: TableDefinition<'_, &str, (&str, u64, i64)> = TableDefinition::new("leases");
/// Scope to its newest revision.
pub(super) const REVISIONS: TableDefinition<'_, &str, u64> = TableDefinition::new("revisions");

/// All tables within one transaction.
pub(super) struct Tables<'t> {
    pub(super) entries: Table<'t, &'static str, (u64, i64, &'static str)>,
    pub(super) expiries: Table<'t, (i64, &'static str), ()>,
    pub(super) sets: MultimapTable<'t, &'static str, &'static str>,
    pub(super) schedules: Table<'t, (&'static str, i64, &'static str), ()>,
    pub(super) scheduled: Table<'t, (&'static str, &'static str), i64>,
    pub(super) lists: Table<'t, (&'static str, u64), &'static str>,
    pub(super) leases: Table<'t, &'static str, (&'static str, u64, i64)>,
    pub(super) revisions: Table<'t, &'static str, u64>,
    /// Whether there is anything to commit.
    pub(super) changed: bool,
}

impl<'t> Tables<'t> {
    /// Whether the database has the tables. The last one is made last.
    pub(super) fn are_there(transaction: &ReadTransaction) -> Result<bool, redb::Error> {
        match transaction.open_table(REVISIONS) {
            Ok(_) => Ok(true),
            Err(TableError::TableDoesNotExist(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            entries: transaction.open_table(ENTRIES)?,
            expiries: transaction.open_table(EXPIRIES)?,
            sets: transaction.open_multimap_table(SETS)?,
            schedules: transaction.open_table(SCHEDULES)?,
            scheduled: transaction.open_table(SCHEDULED)?,
            lists: transaction.open_table(LISTS)?,
            leases: transaction.open_table(LEASES)?,
            revisions: transaction.open_table(REVISIONS)?,
            changed: false,
        })
    }
}
