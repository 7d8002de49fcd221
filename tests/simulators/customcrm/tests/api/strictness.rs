//! What other APIs may let pass, and this one does not.

use reqwest::Method;

use crate::crm::{Crm, see, with_json};

#[tokio::test]
async fn a_parameter_that_there_is_not_is_refused_everywhere() {
    let crm = Crm::filled().await;
    for (method, path) in [
        (Method::GET, "/me"),
        (Method::GET, "/customers"),
        (Method::POST, "/customers"),
        (Method::GET, "/customers/c1"),
        (Method::PATCH, "/customers/c1"),
        (Method::DELETE, "/customers/c1"),
    ] {
        let call = crm.call(method.clone(), &format!("{path}?colour=red"));
        see(with_json(call, r#"{"Name":"A"}"#)).await.problem(400);
    }
    assert_eq!(crm.running.control.counts().records["customers"], 1);
}

#[tokio::test]
async fn what_only_looks_like_the_right_form_is_refused() {
    let crm = Crm::filled().await;
    crm.get("/customers?limit=%2B5").await.problem(400);
    for key in ["two words", "tab\tinside"] {
        let call = crm.call(Method::POST, "/customers").header("Idempotency-Key", key);
        see(with_json(call, r#"{"Name":"A"}"#)).await.problem(400);
    }
    for tags in ["\"1\"2\"", "\"1\",", "*,\"1\""] {
        see(crm.call(Method::DELETE, "/customers/c1").header("If-Match", tags)).await.problem(400);
    }
    let several = crm.call(Method::PATCH, "/customers/c1").header("If-Match", "\"7\", W/\"1\",\"1\"");
    assert_eq!(see(with_json(several, r#"{"City":"Delft"}"#)).await.status, 200);
}
