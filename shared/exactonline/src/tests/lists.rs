use mapping::List;
use simulator_exactonline::{Fault, FaultKind, Limits};

use super::Company;
use crate::Error;

#[tokio::test]
async fn every_list_gives_each_codes_own_id() {
    let company = Company::start().await;
    let client = company.client();
    for list in List::ALL {
        let codes = client.list(list).await.unwrap();
        assert!(!codes.is_empty(), "{}", list.name());
        assert!(codes.iter().all(|(code, id)| code.trim() == code && crate::guid_literal(id).is_some()));
    }
    assert!(client.list(List::PaymentConditions).await.unwrap().contains_key("30"));
}

#[tokio::test]
async fn a_list_is_read_page_by_page_to_its_end() {
    let company = Company::start().await;
    let whole = company.client().list(List::Units).await.unwrap();
    company.running.control().set_limits(Limits { page_size: 1, ..Limits::default() });
    assert_eq!(company.client().list(List::Units).await.unwrap(), whole);
    assert!(whole.len() > 1);
}

#[tokio::test]
async fn a_list_that_may_not_be_read_is_told_as_forbidden() {
    let company = Company::start().await;
    let client = company.client();
    client.me().await.unwrap();
    company.running.control().add_fault(Fault::next(FaultKind::FailBefore { status: 403 }));
    assert!(matches!(client.list(List::VatCodes).await, Err(Error::Forbidden { .. })));
}
