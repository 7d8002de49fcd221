use model::{Presence, Record, Version};
use simulator_exactonline::{Fault, FaultKind, Switches};
use store::{Applied, Batch, Change, Embedded, Key, Store as _};

use super::Company;
use crate::{ChangesCursor, ExactOnline, Feed, FeedCursor, Priority, Selection};

const FEED: Feed = Feed { path: "CRM/Accounts", key: "ID" };
const EIGHT_HOURS: u32 = 8 * 3_600;

async fn changes(client: &ExactOnline<Embedded>, cursor: &mut ChangesCursor) -> Vec<Record> {
    let page = client.changes(FEED, &["Name"], cursor, Priority::Read).await.unwrap();
    *cursor = page.next.to_string().parse().unwrap();
    page.records
}

fn version(record: &Record) -> Version {
    record.version.unwrap()
}

#[tokio::test]
async fn what_changed_after_a_move_is_seen_though_its_number_is_below_all_before() {
    for above in [false, true] {
        let company = Company::start().await;
        let control = company.running.control();
        let switches = Switches { lower_versions_after_a_move: !above, ..control.switches() };
        control.set_switches(switches);
        let id = control.create_account(r#"{"Name":"Before"}"#).unwrap();
        let client = company.client();
        let mut cursor = ChangesCursor::start();
        let before = changes(&client, &mut cursor).await;
        let before = before.iter().find(|record| record.id.as_str() == id.to_string()).unwrap();

        control.move_division();
        control.change_account(id, r#"{"Name":"After"}"#).unwrap();
        control.advance_clock(EIGHT_HOURS);
        let after = changes(&client, &mut cursor).await;
        let after = after.iter().find(|record| record.id.as_str() == id.to_string()).unwrap();
        assert_eq!(after.properties["Name"].as_text(), Some("After"));
        assert!(version(after) > version(before), "{after:?} {before:?}");
        assert_eq!(changes(&client, &mut cursor).await, [], "the new numbers are read on from");
    }
}

#[tokio::test]
async fn a_link_to_exact_hr_makes_all_begin_anew_too_and_the_log_of_deletions_with_it() {
    let company = Company::start().await;
    let control = company.running.control();
    let client = company.client();
    let page = client.deleted(&ChangesCursor::start(), Priority::Read).await.unwrap();
    control.link_division();
    let id = control.create_account(r#"{"Name":"Gone"}"#).unwrap();
    control.delete_account(id).unwrap();
    control.advance_clock(EIGHT_HOURS);
    let page = client.deleted(&page.next, Priority::Read).await.unwrap();
    let gone = &page.deleted.last().unwrap().record;
    assert_eq!((gone.id.as_str(), gone.presence), (id.to_string().as_str(), Presence::Deleted));
}

#[tokio::test]
async fn one_look_in_eight_hours_serves_every_client_of_the_connection() {
    let company = Company::start().await;
    let (one, other) = (company.client(), company.client());
    for _ in 0..3 {
        changes(&one, &mut ChangesCursor::start()).await;
        changes(&other, &mut ChangesCursor::start()).await;
    }
    assert_eq!(company.calls("GET system/divisions"), 1);
    company.running.control().advance_clock(EIGHT_HOURS);
    changes(&one, &mut ChangesCursor::start()).await;
    changes(&other, &mut ChangesCursor::start()).await;
    assert_eq!(company.calls("GET system/divisions"), 2);
}

#[tokio::test]
async fn a_move_that_one_client_was_led_to_look_for_is_known_to_the_others_at_once() {
    let company = Company::start().await;
    let control = company.running.control();
    control.create_account(r#"{"Name":"Moved"}"#).unwrap();
    let (one, other) = (company.client(), company.client());
    let mut cursor = ChangesCursor::start();
    changes(&other, &mut cursor).await;
    let selection = Selection { own: Vec::new(), parts: None, late: Vec::new(), records: Vec::new() };
    let begun = FeedCursor { changes: cursor.clone(), ..FeedCursor::start(&selection) };
    assert!(!one.begins_anew(&begun, Priority::Edit).await.unwrap());

    control.move_division();
    one.look_at_numbering(Priority::Edit).await.unwrap();
    assert!(!one.begins_anew(&begun, Priority::Edit).await.unwrap(), "a look of the last minutes stands");
    control.advance_clock(600);
    one.look_at_numbering(Priority::Edit).await.unwrap();
    assert!(other.begins_anew(&begun, Priority::Edit).await.unwrap());
    let all = changes(&other, &mut cursor).await;
    assert!(!all.is_empty());
    let read = FeedCursor { changes: cursor, ..begun };
    assert!(!one.begins_anew(&read, Priority::Edit).await.unwrap());
}

#[tokio::test]
async fn a_user_who_may_not_see_the_divisions_reads_all_the_same() {
    let company = Company::start().await;
    let control = company.running.control();
    control.create_account(r#"{"Name":"Read"}"#).unwrap();
    let missing_rights = vec!["system/Divisions".to_owned()];
    control.set_switches(Switches { missing_rights, ..control.switches() });
    let client = company.client();
    assert_eq!(changes(&client, &mut ChangesCursor::start()).await.len(), 1);

    control.add_fault(Fault {
        path_contains: Some("system/Divisions".to_owned()),
        ..Fault::next(FaultKind::FailBefore { status: 403 })
    });
    control.advance_clock(EIGHT_HOURS);
    assert_eq!(changes(&client, &mut ChangesCursor::start()).await.len(), 1);
    assert_eq!(company.statuses(403), 1);
}

/// As if the store had been lost and only what is kept of numberings had been in it.
async fn lose_numbering(company: &Company) {
    let settings = company.settings();
    let parts = ["exactonline", "numbering"];
    let key = Key::of(&settings.namespace, settings.connection.as_str(), &parts);
    let lost = company.store.apply(Batch::new().then(Change::Delete(key))).await.unwrap();
    assert!(matches!(lost, Applied::Done { .. }));
}

/// A process remembers records at versions of the numbering that it knew. Were the next one to begin below, all that
/// people change from then on would look older than what is remembered, and would never be seen.
#[tokio::test]
async fn after_the_store_was_lost_versions_still_rise_for_a_process_that_goes_on() {
    for moves_before in [0, 1, 2] {
        let company = Company::start().await;
        let control = company.running.control();
        let id = control.create_account(r#"{"Name":"Before"}"#).unwrap();
        let client = company.client();
        let mut cursor = ChangesCursor::start();
        changes(&client, &mut cursor).await;
        for _ in 0..moves_before {
            control.move_division();
            control.advance_clock(EIGHT_HOURS);
            changes(&client, &mut cursor).await;
        }
        let known = changes(&client, &mut ChangesCursor::start()).await.last().map(version);

        // The last move is not even noticed before the store is lost.
        control.move_division();
        lose_numbering(&company).await;
        control.change_account(id, r#"{"Name":"After"}"#).unwrap();
        let after = changes(&client, &mut ChangesCursor::start()).await;
        assert!(after.last().map(version) > known, "{after:?} {known:?}");
    }
}

#[tokio::test]
async fn a_process_that_knew_nothing_begins_to_count_and_the_others_raise_it_above_what_they_remember() {
    let company = Company::start().await;
    let control = company.running.control();
    let id = control.create_account(r#"{"Name":"Before"}"#).unwrap();
    let one = company.client();
    changes(&one, &mut ChangesCursor::start()).await;
    control.move_division();
    control.advance_clock(EIGHT_HOURS);
    let known = changes(&one, &mut ChangesCursor::start()).await.last().map(version);

    lose_numbering(&company).await;
    let other = company.client();
    let mut cursor = ChangesCursor::start();
    let low = changes(&other, &mut cursor).await.last().map(version);
    assert!(low < known, "it can't know");
    control.change_account(id, r#"{"Name":"After"}"#).unwrap();
    let after = changes(&one, &mut ChangesCursor::start()).await.last().map(version);
    assert!(after > known, "{after:?} {known:?}");
    let all = changes(&other, &mut cursor).await;
    assert_eq!(all.last().map(version), after, "and who began reads everything again");
}
