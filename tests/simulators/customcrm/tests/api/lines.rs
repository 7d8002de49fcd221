//! Lines of documents. Orders and quotes have the same.

use serde_json::{Value, json};

use crate::crm::{Crm, Seen};

/// An order of this many lines, with quantities 1, 2, ..., and its line ids.
async fn order(crm: &Crm, lines: usize) -> (String, Vec<String>) {
    let lines: Vec<Value> =
        (1..=lines).map(|number| json!({"ProductId": "p1", "Quantity": number})).collect();
    let path = crm.record("orders", &json!({"CustomerId": "c1", "Lines": lines}).to_string()).await;
    let line_ids = crm.get(&path).await.line_ids();
    (path, line_ids)
}

async fn patch(crm: &Crm, path: &str, lines: Value) -> Seen {
    crm.patch(path, &json!({ "Lines": lines }).to_string()).await
}

/// What tells the lines apart in these tests.
fn quantities(document: &Seen) -> Vec<u64> {
    document.lines().iter().map(|line| line["Quantity"].as_u64().unwrap()).collect()
}

fn numbers(document: &Seen) -> Vec<u64> {
    document.lines().iter().map(|line| line["LineNumber"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn lines_come_in_the_order_of_the_list_each_with_an_id_and_a_number() {
    let crm = Crm::filled().await;
    for collection in ["orders", "quotes"] {
        let lines: Vec<Value> =
            [7, 5, 9].map(|quantity| json!({"Quantity": quantity, "ProductId": "p1"})).into();
        let document = json!({"CustomerId": "c1", "Lines": lines}).to_string();
        let created = crm.post(&format!("/{collection}"), &document).await;
        assert_eq!(created.status, 201, "{}", created.text);
        assert_eq!((quantities(&created), numbers(&created)), (vec![7, 5, 9], vec![1, 2, 3]));
        let mut ids = created.line_ids();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), ids.iter().any(String::is_empty)), (3, false));
        let read = crm.get(&format!("/{collection}/{}", created.member("Id").as_str().unwrap())).await;
        assert_eq!(read.text, created.text);
    }
}

#[tokio::test]
async fn an_item_with_a_line_id_changes_what_it_names_of_that_line() {
    let crm = Crm::filled().await;
    let (path, ids) = order(&crm, 3).await;
    let full = json!([{"LineId": ids[1], "Description": "blue", "Unit": "pc", "IsOptional": true}]);
    patch(&crm, &path, full).await;
    let before = crm.get(&path).await;
    let change = json!([{"LineId": ids[1], "Quantity": 20, "Unit": null, "IsOptional": null}]);
    let after = patch(&crm, &path, change).await;
    assert_eq!((after.status.as_u16(), after.text.as_str()), (200, crm.get(&path).await.text.as_str()));
    assert_eq!((after.member("Version"), after.line_ids()), (3.into(), ids));
    let (lines, old) = (after.lines(), before.lines());
    assert_eq!((&lines[0], &lines[2]), (&old[0], &old[2]));
    let mut expected = old[1].clone();
    expected["Quantity"] = 20.into();
    expected["Unit"] = Value::Null;
    expected["IsOptional"] = false.into();
    assert_eq!(lines[1], expected);
}

#[tokio::test]
async fn an_item_without_a_line_id_is_added_at_the_end() {
    let crm = Crm::filled().await;
    let (path, ids) = order(&crm, 2).await;
    let after = patch(
        &crm,
        &path,
        json!([
            {"ProductId": "p1", "Quantity": 30},
            {"LineId": ids[0], "Quantity": 10},
            {"LineId": null, "Deleted": false, "ProductId": "p1", "Quantity": 40},
        ]),
    )
    .await;
    assert_eq!(
        (quantities(&after), numbers(&after)),
        (vec![10, 2, 30, 40], vec![1, 2, 3, 4]),
        "{}",
        after.text
    );
    assert_eq!(after.line_ids()[..2], ids);
}

#[tokio::test]
async fn an_item_marked_as_deleted_removes_its_line_and_the_others_keep_their_ids() {
    let crm = Crm::filled().await;
    let (path, ids) = order(&crm, 4).await;
    let after = patch(
        &crm,
        &path,
        json!([
            {"LineId": ids[2], "Deleted": true},
            {"LineId": ids[3], "Deleted": false, "Quantity": 40},
            {"LineId": ids[0], "Deleted": true, "Quantity": 10},
        ]),
    )
    .await;
    assert_eq!((quantities(&after), numbers(&after)), (vec![2, 40], vec![1, 2]), "{}", after.text);
    assert_eq!(after.line_ids(), [&ids[1], &ids[3]].map(Clone::clone));

    let added = patch(&crm, &path, json!([{"ProductId": "p1", "Quantity": 5}])).await;
    assert!(!ids.contains(&added.line_ids()[2]), "a line id is not given twice");
    let gone = patch(&crm, &path, json!([{"LineId": ids[0], "Quantity": 1}])).await;
    assert_eq!(gone.problem(422), ["Lines[0].LineId"]);
}

#[tokio::test]
async fn lines_that_a_patch_does_not_name_stay() {
    let crm = Crm::filled().await;
    let (path, ids) = order(&crm, 3).await;
    let lines = crm.get(&path).await.lines();
    for json in [r#"{"Name":"A"}"#, r#"{"Name":"B","Lines":[]}"#] {
        assert_eq!(crm.patch(&path, json).await.lines(), lines, "{json}");
    }
    let after = patch(&crm, &path, json!([{"LineId": ids[1], "Quantity": 20}])).await;
    assert_eq!(quantities(&after), [1, 20, 3]);
}

#[tokio::test]
async fn a_patch_that_changes_no_line_leaves_the_version() {
    let crm = Crm::filled().await;
    let (path, ids) = order(&crm, 2).await;
    let before = crm.get(&path).await.text;
    for item in
        [r#""Quantity":1"#, r#""Quantity":1.00"#, r#""Unit":null,"ProductId":"p1""#, r#""Deleted":null"#]
    {
        let json = format!(r#"{{"Lines":[{{"LineId":"{}",{item}}}]}}"#, ids[0]);
        assert_eq!(crm.patch(&path, &json).await.text, before, "{item}");
    }
    assert_eq!(patch(&crm, &path, json!([])).await.text, before);
}

#[tokio::test]
async fn a_document_has_at_least_one_line() {
    let crm = Crm::filled().await;
    for collection in ["orders", "quotes"] {
        for lines in ["", r#","Lines":[]"#, r#","Lines":null"#] {
            let refused =
                crm.post(&format!("/{collection}"), &format!(r#"{{"CustomerId":"c1"{lines}}}"#)).await;
            assert_eq!(refused.problem(422), ["Lines"], "{collection} {lines}");
        }
    }
    let (path, ids) = order(&crm, 2).await;
    let before = crm.get(&path).await.text;
    let all = json!([{"LineId": ids[0], "Deleted": true}, {"LineId": ids[1], "Deleted": true}]);
    for lines in [all.clone(), Value::Null] {
        assert_eq!(patch(&crm, &path, lines).await.problem(422), ["Lines"]);
        assert_eq!(crm.get(&path).await.text, before);
    }
    let mut replaced = all;
    replaced.as_array_mut().unwrap().push(json!({"ProductId": "p1", "Quantity": 3}));
    let after = patch(&crm, &path, replaced).await;
    assert_eq!((quantities(&after), numbers(&after)), (vec![3], vec![1]), "{}", after.text);
}

#[tokio::test]
async fn a_line_that_is_not_of_this_document_is_refused_by_its_place() {
    let crm = Crm::filled().await;
    let (path, ids) = order(&crm, 3).await;
    let others = crm.get("/orders/o1").await.line_ids().remove(0);
    let before = crm.get(&path).await.text;
    for wrong in [others.as_str(), &ids[0], &ids[0].to_uppercase(), "", "1", "\u{1F6A2}\u{202E}\0"] {
        for rest in [json!({"Quantity": 9}), json!({"Deleted": true})] {
            let mut item = rest;
            item["LineId"] = wrong.into();
            let lines = json!([{"LineId": ids[0], "Quantity": 8}, {"ProductId": "p1", "Quantity": 7}, item]);
            assert_eq!(patch(&crm, &path, lines).await.problem(422), ["Lines[2].LineId"], "{wrong}");
        }
    }
    let nameless = patch(&crm, &path, json!([{"Deleted": true}])).await;
    assert_eq!(nameless.problem(422), ["Lines[0].LineId"]);
    assert_eq!(crm.get(&path).await.text, before, "nothing of a refused patch is kept");

    let lines = json!([{"LineId": "mine", "ProductId": "p1", "Quantity": 1}]);
    let chosen = crm.post("/orders", &json!({"CustomerId": "c1", "Lines": lines}).to_string()).await;
    assert_eq!(chosen.problem(422), ["Lines[0].LineId"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_line_is_said_by_its_place_and_property() {
    let crm = Crm::filled().await;
    let (path, ids) = order(&crm, 1).await;
    for (lines, expected) in [
        (json!("p1"), &["Lines"][..]),
        (json!({"LineId": ids[0]}), &["Lines"]),
        (json!(7), &["Lines"]),
        (json!([null, 7, [], "x"]), &["Lines[0]", "Lines[1]", "Lines[2]", "Lines[3]"]),
        (json!([{}]), &["Lines[0].ProductId", "Lines[0].Quantity"]),
        (json!([{"ProductId": "p1"}]), &["Lines[0].Quantity"]),
        (json!([{"ProductId": "p1", "Quantity": null}]), &["Lines[0].Quantity"]),
        (json!([{"ProductId": "p1", "Quantity": "1"}]), &["Lines[0].Quantity"]),
        (json!([{"ProductId": "", "Quantity": 1}]), &["Lines[0].ProductId"]),
        (json!([{"ProductId": 1, "Quantity": true}]), &["Lines[0].ProductId", "Lines[0].Quantity"]),
        (json!([{"LineId": 1, "Quantity": 2}]), &["Lines[0].LineId"]),
        (json!([{"LineId": ids[0], "Deleted": "true"}]), &["Lines[0].Deleted"]),
        (json!([{"LineId": ids[0], "Quantity": null}]), &["Lines[0].Quantity"]),
        (json!([{"LineId": ids[0], "ProductId": null}]), &["Lines[0].ProductId"]),
        (json!([{"LineId": ids[0], "LineNumber": 1.5}]), &["Lines[0].LineNumber"]),
        (
            json!([{"LineId": ids[0], "Id": "x", "quantity": 1, "Lines": []}]),
            &["Lines[0].Id", "Lines[0].Lines", "Lines[0].quantity"],
        ),
        (json!([{"LineId": ids[0], "DeliveryDate": "2026-02-29"}]), &["Lines[0].DeliveryDate"]),
        (json!([{"LineId": ids[0], "IsOptional": 1}]), &["Lines[0].IsOptional"]),
        (json!([{"LineId": ids[0], "Unit": "ü".repeat(256)}]), &["Lines[0].Unit"]),
        (json!([{"LineId": ids[0], "Notes": "d".repeat(64 * 1024 + 1)}]), &["Lines[0].Notes"]),
        (
            json!([{"LineId": ids[0], "Quantity": 2}, {"LineId": "no", "Unit": 1}]),
            &["Lines[1].Unit", "Lines[1].LineId"],
        ),
    ] {
        assert_eq!(patch(&crm, &path, lines.clone()).await.problem(422), expected, "{lines}");
    }
    assert_eq!(crm.get(&path).await.member("Version"), 1);
}

#[tokio::test]
async fn errors_of_the_document_and_of_its_lines_come_at_once() {
    let crm = Crm::filled().await;
    let document =
        r#"{"Status":"open","Lines":[{"ProductId":"p1","Quantity":1},{"Quantity":"1"}],"Extra":1}"#;
    let refused = crm.post("/orders", document).await;
    let expected = ["Status", "Extra", "CustomerId", "Lines[1].Quantity", "Lines[1].ProductId"];
    assert_eq!(refused.problem(422), expected);
}

#[tokio::test]
async fn a_name_that_comes_twice_in_a_line_is_refused() {
    let crm = Crm::filled().await;
    let (path, ids) = order(&crm, 1).await;
    for item in [
        r#""ProductId":"p1","Quantity":1,"Quantity":1"#,
        r#""ProductId":"p1","Quantity":1,"\u0051uantity":2"#,
        &format!(r#""LineId":"{0}","LineId":"{0}""#, ids[0]),
    ] {
        crm.patch(&path, &format!(r#"{{"Lines":[{{{item}}}]}}"#)).await.problem(400);
        let document =
            format!(r#"{{"CustomerId":"c1","Lines":[{{"ProductId":"p1","Quantity":1}},{{{item}}}]}}"#);
        crm.post("/orders", &document).await.problem(400);
    }
    crm.patch(&path, r#"{"Lines":[],"Lines":[]}"#).await.problem(400);
    assert_eq!(crm.get(&path).await.member("Version"), 1);
}

#[tokio::test]
async fn numbers_of_a_line_keep_every_digit_or_are_refused() {
    let crm = Crm::filled().await;
    let (path, ids) = order(&crm, 1).await;
    let quantity = |number: &str| format!(r#"{{"Lines":[{{"LineId":"{}","Quantity":{number}}}]}}"#, ids[0]);
    for number in ["12345678901234567890.12345678", "0.0000000000000000000000000001", "-0.30", "7.00"] {
        let changed = crm.patch(&path, &quantity(number)).await;
        assert!(changed.text.contains(&format!("\"Quantity\":{number},")), "{}", changed.text);
    }
    for number in ["1e29", "99999999999999999999999999999999", "0.12345678901234567890123456789"] {
        assert_eq!(crm.patch(&path, &quantity(number)).await.problem(422), ["Lines[0].Quantity"], "{number}");
    }
}

#[tokio::test]
async fn a_collection_without_lines_knows_none() {
    let crm = Crm::filled().await;
    for path in ["/customers/c1", "/contacts/k1", "/products/p1", "/users/u1"] {
        assert_eq!(patch(&crm, path, json!([])).await.problem(422), ["Lines"]);
        assert!(crm.get(path).await.json().get("Lines").is_none());
    }
}
