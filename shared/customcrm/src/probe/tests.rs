#![allow(clippy::unwrap_used)]

mod calls;

use contract::json::{read_content, read_properties};
use model::Content;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{
    Finding, Proposal, SearchedBy, Verdict, judge,
    proposal::time_format,
    sights::{Answer, CollectionSights, Found, Pages, Refused, Searched, Sight, Sights, middle},
};
use crate::{Declaration, declaration::Meaning, path::Path};

const LEAST: &str = r#"
crm = "Least"
[authentication]
scheme = "none"
[record]
id = "id"
modified_at = "at"
[paging]
style = "offset"
parameter = "offset"
size_parameter = "limit"
size = 100
[incremental]
parameter = "since"
[search]
parameter = "{property}"
[collections.customers]
path = "customers"
"#;

const TWO: &str =
    r#"[{"id":1,"at":"2026-11-20T10:00:00Z","Name":"A"},{"id":2,"at":"2026-11-20T10:00:09Z","Name":"B"}]"#;

fn declared(changes: &[(&str, &str)]) -> Declaration {
    let mut text = LEAST.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    Declaration::parse("crm.toml", &text).unwrap()
}

fn answer(json: &str) -> Sight {
    Sight::Answer(Answer { body: Some(read_content(json).unwrap()), headers: HeaderMap::new() })
}

fn refused(status: u16, meaning: Meaning) -> Sight {
    let body = read_properties(r#"{"message":"no"}"#).unwrap();
    Sight::Refused(Refused { status, meaning: Some(meaning), words: "no".to_owned(), body })
}

/// What is seen of customers whose list is this.
fn customers(all: Sight) -> CollectionSights {
    let entity = "customers".to_owned();
    CollectionSights {
        entity,
        all,
        bare: None,
        changes: None,
        since: None,
        one: None,
        none: None,
        children: None,
    }
}

fn judged(declaration: &Declaration, customers: CollectionSights) -> Vec<Finding> {
    judge::findings(declaration, &Sights { collections: vec![customers], ..Sights::default() })
}

#[track_caller]
fn told<'f>(findings: &'f [Finding], line: &str) -> (Verdict, &'f str) {
    let finding = findings.iter().find(|finding| finding.line == line);
    let Some(finding) = finding else { panic!("no {line} in {findings:#?}") };
    (finding.verdict, &finding.found)
}

#[track_caller]
fn fails(findings: &[Finding], line: &str, why: &str) {
    let (verdict, found) = told(findings, line);
    assert!(verdict == Verdict::Fails && found.contains(why), "{verdict:?} {found}");
}

/// What two pages of customers show.
fn paged(first: Sight, second: Option<Sight>, beyond: Option<Sight>) -> Vec<Finding> {
    let entity = "customers".to_owned();
    let pages = Some(Pages { entity, size: Some(1), total: 2, first, second, beyond });
    let sights = Sights { collections: vec![customers(answer(TWO))], pages, ..Sights::default() };
    judge::findings(&declared(&[]), &sights)
}

const ONE: &str = r#"[{"id":1,"at":"2026-11-20T10:00:00Z"}]"#;
const OTHER: &str = r#"[{"id":2,"at":"2026-11-20T10:00:09Z"}]"#;

#[test]
fn a_second_page_that_repeats_the_first_names_the_parameter() {
    fails(&paged(answer(ONE), Some(answer(ONE)), None), "paging.parameter", "does not know this parameter");
    let good = paged(answer(ONE), Some(answer(OTHER)), Some(answer("[]")));
    assert_eq!(told(&good, "paging.style").0, Verdict::Holds);
    assert_eq!(told(&good, "paging.size").0, Verdict::Holds);
}

#[test]
fn a_page_that_holds_more_than_was_asked_for_names_the_parameter_of_its_size() {
    fails(
        &paged(answer(TWO), None, None),
        "paging.size_parameter",
        "a page of 1 was asked for, and 2 records came",
    );
}

#[test]
fn records_behind_a_page_that_is_not_full_are_never_read_and_told() {
    let behind = answer(r#"[{"id":3,"at":"2026-11-20T10:00:10Z"}]"#);
    fails(&paged(answer(ONE), Some(answer(OTHER)), Some(behind)), "paging.size", "write size = 2");
}

#[test]
fn a_list_that_comes_at_once_and_is_as_long_as_a_page_is_doubted() {
    let none =
        [("style = \"offset\"\nparameter = \"offset\"\nsize_parameter = \"limit\"", "style = \"none\"")];
    let records: Vec<String> =
        (0..50).map(|id| format!(r#"{{"id":{id},"at":"2026-11-20T10:00:00Z"}}"#)).collect();
    let findings = judged(&declared(&none), customers(answer(&format!("[{}]", records.join(",")))));
    assert_eq!(told(&findings, "paging.style").0, Verdict::Doubtful);
}

#[test]
fn a_first_page_that_is_empty_names_the_number_of_the_first() {
    let page = [("style = \"offset\"\nparameter = \"offset\"", "style = \"page\"\nparameter = \"page\"")];
    let seen = CollectionSights { bare: Some(answer(TWO)), ..customers(answer("[]")) };
    fails(&judged(&declared(&page), seen), "paging.first", "write first = 0");
}

/// What a read since a time shows, of two records of which one is before it.
fn since(records: &str) -> Vec<Finding> {
    let since = Some(("2026-11-20T10:00:05Z".parse().unwrap(), answer(records)));
    judged(&declared(&[]), CollectionSights { changes: Some(answer(TWO)), since, ..customers(answer(TWO)) })
}

#[test]
fn a_read_since_a_time_that_shows_what_was_before_or_leaves_out_what_was_after_is_wrong() {
    fails(&since(TWO), "incremental.parameter", "shows 1 record that were changed before it");
    fails(&since("[]"), "incremental.parameter", "leaves out 1 record");
    let (verdict, found) = {
        let findings = since(OTHER);
        let (verdict, found) = told(&findings, "incremental.parameter");
        (verdict, found.to_owned())
    };
    assert!(verdict == Verdict::Holds && found.contains("shows 1 of 2, none earlier"), "{found}");
}

#[test]
fn changes_out_of_order_name_the_order() {
    let turned = r#"[{"id":2,"at":"2026-11-20T10:00:09Z"},{"id":1,"at":"2026-11-20T10:00:00Z"}]"#;
    let seen = CollectionSights { changes: Some(answer(turned)), ..customers(answer(turned)) };
    fails(&judged(&declared(&[]), seen), "incremental.ordered", "ask for that order in incremental.query");
}

#[test]
fn the_time_that_is_asked_for_parts_the_records() {
    let declaration = declared(&[]);
    let keys = &declaration.collections["customers"].record;
    let times = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
    let apart = times(&["2026-11-20T10:00:00Z", "2026-11-20T10:00:01Z", "2026-11-20T10:00:02Z"]);
    assert_eq!(middle(keys, &apart), Some(apart[1]));
    let same = times(&["2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"]);
    assert!(middle(keys, &same).unwrap() > same[0]);
    assert_eq!(middle(keys, &[]), None);
    let days = declared(&[("modified_at = \"at\"", "modified_at = \"at\"\ntime = \"%Y-%m-%d\"")]);
    let keys = &days.collections["customers"].record;
    assert_eq!(
        middle(keys, &times(&["2026-11-20T00:00:00Z"])),
        Some("2026-11-21T00:00:00Z".parse().unwrap())
    );
}

/// What a search for the first customer's name shows.
fn searched(records: Sight) -> Vec<Finding> {
    let by = SearchedBy { entity: "customers".to_owned(), property: "Name".to_owned() };
    let path = Path::parse("Name").unwrap();
    let found = Some(Found { id: "1".to_owned(), path, value: Content::from("A"), sight: records });
    let searches = vec![Searched { by, found }];
    let sights = Sights { collections: vec![customers(answer(TWO))], searches, ..Sights::default() };
    judge::findings(&declared(&[]), &sights)
}

#[test]
fn a_search_finds_its_record_and_no_other() {
    let (good, ignored) = (searched(answer(r#"[{"id":1,"Name":"a"}]"#)), searched(answer(TWO)));
    assert_eq!(told(&good, "search.parameter").0, Verdict::Holds);
    fails(&ignored, "search.parameter", "finds 1 record that hold something else");
    fails(&searched(answer("[]")), "search.parameter", "does not find the record");
    fails(&searched(refused(400, Meaning::Rejected)), "search.parameter", "status 400");
}

#[test]
fn a_property_that_no_record_has_is_told_with_what_there_is_and_no_value() {
    let all = r#"[{"id":1,"updated_at":"2026-11-20T10:00:00Z","Name":"Secretive"}]"#;
    let findings = judged(&declared(&[]), customers(answer(all)));
    fails(&findings, "record.modified_at", "there are: Name, id, updated_at - did you mean updated_at?");
    assert!(!format!("{findings:?}").contains("Secretive"), "{findings:?}");
    let some = r#"[{"id":1,"at":"2026-11-20T10:00:00Z"},{"id":2}]"#;
    let findings = judged(&declared(&[]), customers(answer(some)));
    fails(&findings, "record.modified_at", "1 of 2 records lack it, of customers");
}

#[test]
fn times_that_are_written_otherwise_name_their_format() {
    for (value, format) in [
        ("1790000000", "epoch-seconds"),
        ("1790000000123", "epoch-milliseconds"),
        (r#""2026-11-20 10:00:00""#, "%Y-%m-%d %H:%M:%S"),
        (r#""2026-11-20""#, "%Y-%m-%d"),
    ] {
        let findings = judged(&declared(&[]), customers(answer(&format!(r#"[{{"id":1,"at":{value}}}]"#))));
        fails(&findings, "record.time", &format!("write time = \"{format}\""));
    }
    assert_eq!(time_format(&[&Content::from("2026-11-20T10:00:00+01:00")]).as_deref(), Some("rfc3339"));
    for none in [Content::from("Vos"), Content::Null, read_content("12").unwrap()] {
        assert_eq!(time_format(&[&none]), None, "{none:?}");
    }
}

#[test]
fn a_list_or_a_record_that_stands_elsewhere_names_its_place() {
    let findings = judged(&declared(&[]), customers(answer(r#"{"meta":{},"result":{"items":[{"id":1}]}}"#)));
    fails(&findings, "answer.list", "write list = \"result.items\" in [answer]");
    let one = Some(("1".to_owned(), answer(r#"{"data":{"id":1}}"#)));
    let findings = judged(&declared(&[]), CollectionSights { one, ..customers(answer(TWO)) });
    fails(&findings, "answer.record", "write record = \"data\" in [answer]");
}

#[test]
fn a_record_that_is_not_there_is_gone() {
    let looked = |none| {
        let one = Some(("1".to_owned(), answer(r#"{"id":1}"#)));
        judged(&declared(&[]), CollectionSights { one, none: Some(none), ..customers(answer(TWO)) })
    };
    assert_eq!(told(&looked(refused(404, Meaning::Gone)), "errors.statuses").0, Verdict::Holds);
    fails(&looked(refused(403, Meaning::Auth)), "errors.statuses", "write lookup = \"search\" in [answer]");
    let (verdict, found) = {
        let findings = looked(refused(400, Meaning::Rejected));
        let (verdict, found) = told(&findings, "errors.statuses");
        (verdict, found.to_owned())
    };
    assert!(verdict == Verdict::Doubtful && found.contains("\"400\" = \"gone\""), "{found}");
}

#[test]
fn lines_of_a_collection_of_their_own_name_their_document() {
    let lines = "path = \"customers\"\nlines = { style = \"children\", property = \"Lines\", id = \"LineId\", path = \"lines\", parent = \"of\", names = { LineId = \"id\" } }";
    let declaration = declared(&[("path = \"customers\"", lines)]);
    let seen = |lines: &str| {
        let children = Some(("1".to_owned(), answer(lines)));
        judged(&declaration, CollectionSights { children, ..customers(answer(TWO)) })
    };
    let good = seen(r#"[{"id":7,"of":1}]"#);
    assert_eq!(
        told(&good, "collections.customers.lines"),
        (Verdict::Holds, "1 line of a document, each with id")
    );
    fails(&seen(r#"[{"id":7,"parent":1}]"#), "collections.customers.lines", "there are: id, parent");
    fails(&seen(r#"[{"nr":7,"of":1}]"#), "collections.customers.lines", "there are: nr, of");
}

#[test]
fn what_is_seen_is_called_as_pair_files_call_it() {
    let shape = "path = \"customers\"\nnames = { Title = \"meta.title\" }\nlines = { style = \"whole\", property = \"Lines\", id = \"LineId\", names = { Quantity = \"qty\" } }";
    let declaration = declared(&[("path = \"customers\"", shape)]);
    let all = answer(r#"[{"id":1,"meta":{"title":"A","tags":[]},"Lines":[{"qty":2}]}]"#);
    let sights = Sights { collections: vec![customers(all)], ..Sights::default() };
    let seen = super::seen(&declaration, &sights);
    let names: Vec<&str> = seen["customers"].iter().map(String::as_str).collect();
    assert_eq!(names, ["Lines", "Lines.LineId", "Lines.Quantity", "Title", "id", "meta", "meta.tags"]);
}

#[test]
fn who_is_not_let_in_is_told_nothing_else() {
    let findings = judged(&declared(&[]), customers(refused(401, Meaning::Auth)));
    assert_eq!(findings.len(), 1, "{findings:#?}");
    fails(&findings, "authentication.scheme", "401");
}

#[test]
fn what_an_answer_looks_like_is_proposed() {
    let proposed = |json: &str, headers: &[(&'static str, &'static str)]| {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        Proposal::of(&read_content(json).unwrap(), &headers.iter().map(header).collect())
    };
    let text = |text: &str| Some(text.to_owned());
    let default = proposed(
        r#"{"data":[{"Id":"a","Version":3,"ModifiedAt":"2026-11-20T10:00:00Z","CreatedAt":"2026-11-20T10:00:00Z","ModifiedBy":"u","IsDeleted":false,"OwnerId":"u"}],"next_cursor":null}"#,
        &[],
    );
    let expected = Proposal {
        records: 1,
        list: text("data"),
        id: text("Id"),
        version: text("Version"),
        modified_at: text("ModifiedAt"),
        time: text("rfc3339"),
        modified_by: text("ModifiedBy"),
        deleted: text("IsDeleted"),
        paging: Some("cursor"),
        next: text("next_cursor"),
    };
    assert_eq!(default, expected);

    let plain = proposed(r#"[{"id":"a","Name":"A"},{"id":"b","Name":"A"}]"#, &[]);
    assert_eq!((plain.list, plain.id, plain.modified_at, plain.paging), (text(""), text("id"), None, None));

    let pages = r#"{"page":1,"perPage":30,"totalItems":1,"items":[{"id":"a","updated":"2026-11-20 10:00:00.123Z","created":"2026-11-20 10:00:00.123Z"}]}"#;
    let pages = proposed(pages, &[]);
    assert_eq!((pages.list, pages.modified_at, pages.paging), (text("items"), text("updated"), Some("page")));
    assert_eq!(pages.time, text("%Y-%m-%d %H:%M:%S%.3fZ"));

    let next = proposed(r#"{"count":1,"next":"https://crm.example/c?page=2","results":[{"uuid":"a"}]}"#, &[]);
    assert_eq!((next.paging, next.next, next.id), (Some("next"), text("next"), text("uuid")));
    assert_eq!(proposed("[]", &[("link", "<a>; rel=\"next\"")]).paging, Some("link"));
    assert_eq!(proposed("7", &[]), Proposal::default());
}
