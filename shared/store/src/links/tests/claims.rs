//! A record of Exact that several pairs could take is one pair's at a time, and all its versions with it.

use link::Link;
use model::{PairName, PropertyName, Value};

use super::{Besides, CRM, Desk, EXACT, change, queued, record, side};

pub(super) const QUOTES: &str = r#"
pair = "quote-quotation"
conflict = "crm"
match_keys = [["CustomerId", "CustomerReference"]]
search_own = "Name"
versions = { number = "QuoteNumber", version = "VersionNumber" }

[customcrm]
entity = "quotes"
create = true

[exactonline]
entity = "quotations"
create = true

[[property]]
customcrm = "QuoteNumber"
exactonline = "QuotationNumber"
edm = "Edm.Int32"
kind = "integer"
text = true
direction = "to-crm"

[[property]]
customcrm = "VersionNumber"
exactonline = "VersionNumber"
edm = "Edm.Int32"
kind = "integer"
direction = "to-crm"

[[property]]
customcrm = "CustomerId"
exactonline = "OrderAccount"
edm = "Edm.Guid"
kind = "reference"
pair = "customer-account"

[[property]]
customcrm = "CustomerReference"
exactonline = "YourRef"
edm = "Edm.String"
kind = "text"

[[property]]
customcrm = "Name"
exactonline = "Description"
edm = "Edm.String"
kind = "text"
"#;

/// The same for orders, which adopt their quote's quotation and call its number otherwise.
pub(super) fn orders() -> String {
    QUOTES
        .replace("\"quote-quotation\"", "\"order-quotation\"")
        .replace("\"quotes\"", "\"orders\"")
        .replace("\"QuoteNumber\"", "\"QuotationNumber\"")
        .replace("search_own", "adopts = { reference = \"QuoteId\", pair = \"quote-quotation\" }\nsearch_own")
}

/// Quotes and orders at one store.
pub(super) fn both() -> (Desk, Desk) {
    let quotes = Desk::new().beside(QUOTES);
    let orders = quotes.beside(&orders());
    (quotes, orders)
}

impl Desk {
    /// Who else has claimed a quotation, and the checks of the answer.
    async fn claimed(&self, quotation: &link::Side) -> super::super::Claim {
        self.links.claimed(&self.connection, &self.pair, quotation).await.unwrap()
    }

    async fn claimed_by(&self, quotation: &str) -> Option<PairName> {
        self.claimed(&side(quotation, &[])).await.by
    }

    /// A quotation of this number and version, as this pair sees it.
    fn version(&self, id: &str, number: i64, version: i64) -> link::Side {
        let versions = self.pair.versions.clone().unwrap();
        let mut quotation = side(id, &[]);
        quotation.view.insert(versions.number, Value::Decimal(number.into()));
        quotation.view.insert(versions.version, Value::Decimal(version.into()));
        quotation
    }

    /// A link of a record of the CRM and a quotation of this number and version.
    pub(super) fn of_version(&self, crm: &str, id: &str, number: i64, version: i64) -> Link {
        let mut link = self.whole(crm, id, &[]);
        link.sides[EXACT] = Some(self.version(id, number, version));
        link
    }
}

#[tokio::test]
async fn what_a_pair_has_linked_is_claimed_for_the_others() {
    let (quotes, orders) = both();
    quotes.add(&quotes.whole("z1", "q1", &[])).await;
    assert_eq!(orders.claimed_by("q1").await.as_ref(), Some(quotes.name()));
    assert_eq!((quotes.claimed_by("q1").await, orders.claimed_by("q2").await), (None, None));
}

#[tokio::test]
async fn a_quotation_alone_is_claimed_only_while_its_create_is_pending() {
    let (quotes, orders) = both();
    let alone = quotes.half(EXACT, "q1", &[]);
    let stored = quotes.add(&alone).await;
    assert_eq!(orders.claimed_by("q1").await, None);
    assert!(quotes.change(Some(&stored), Some(&queued(&alone, CRM))).await);
    assert_eq!(orders.claimed_by("q1").await.as_ref(), Some(quotes.name()));
    let stored = quotes.stored(&alone.id).await.unwrap();
    assert!(quotes.change(Some(&stored), Some(&alone)).await);
    assert_eq!(orders.claimed_by("q1").await, None);
}

#[tokio::test]
async fn a_pending_write_to_exact_claims_nothing() {
    let (quotes, orders) = both();
    quotes.add(&queued(&quotes.half(EXACT, "q1", &[]), EXACT)).await;
    assert_eq!(orders.claimed_by("q1").await, None);
}

#[tokio::test]
async fn two_pairs_that_claim_one_quotation_at_once_do_not_both_get_it() {
    for checked in [true, false] {
        let (quotes, orders) = both();
        let [first, second] = [&quotes, &orders].map(|desk| queued(&desk.half(EXACT, "q1", &[]), CRM));
        let seen = orders.claimed(&side("q1", &[])).await;
        assert_eq!(seen.by, None);
        quotes.add(&first).await;
        let besides =
            Besides { checks: if checked { seen.checks } else { Vec::new() }, ..Besides::default() };
        assert!(!orders.commit(vec![change(None, Some(&second))], besides).await, "{checked}");
        assert_eq!(orders.claimed_by("q1").await.as_ref(), Some(quotes.name()));
    }
}

#[tokio::test]
async fn who_saw_a_quotation_unclaimed_does_not_commit_after_it_was_claimed() {
    let (quotes, orders) = both();
    let seen = orders.claimed(&orders.version("q2", 7, 2)).await;
    quotes.add(&quotes.of_version("z1", "q1", 7, 1)).await;
    let besides = Besides { checks: seen.checks, ..Besides::default() };
    let alone = orders.half(EXACT, "q2", &[]);
    assert!(!orders.commit(vec![change(None, Some(&alone))], besides).await);
    let seen = orders.claimed(&orders.version("q2", 7, 2)).await;
    assert_eq!(seen.by.as_ref(), Some(quotes.name()));
    let besides = Besides { checks: seen.checks, ..Besides::default() };
    assert!(orders.commit(vec![change(None, Some(&alone))], besides).await);
}

#[tokio::test]
async fn a_link_that_follows_another_pair_leaves_it_the_claim() {
    let (quotes, orders) = both();
    let stored = quotes.add(&quotes.whole("z1", "q1", &[])).await;
    let mut following = orders.whole("o1", "q1", &[]);
    following.follows = Some(quotes.name().clone());
    let following = orders.add(&following).await;
    assert_eq!(orders.claimed_by("q1").await.as_ref(), Some(quotes.name()));
    assert!(orders.change(Some(&following), None).await);
    assert_eq!(orders.claimed_by("q1").await.as_ref(), Some(quotes.name()));
    assert!(quotes.change(Some(&stored), None).await);
    assert_eq!(orders.claimed_by("q1").await, None);
}

#[tokio::test]
async fn a_claim_moves_with_the_record_to_the_link_that_takes_it_over() {
    let (quotes, orders) = both();
    let from = quotes.add(&queued(&quotes.half(EXACT, "q1", &[]), CRM)).await;
    let to = quotes.add(&quotes.half(CRM, "z1", &[])).await;
    let mut joined = Link::clone(&to.link);
    joined.sides[EXACT] = Some(side("q1", &[]));
    let changes = vec![change(Some(&to), Some(&joined)), change(Some(&from), None)];
    assert!(quotes.commit(changes, Besides::default()).await);
    assert_eq!(orders.claimed_by("q1").await.as_ref(), Some(quotes.name()));
}

#[tokio::test]
async fn all_versions_of_a_document_are_claimed_together_and_stay_so() {
    let (quotes, orders) = both();
    let first = quotes.add(&quotes.of_version("z1", "q1", 7, 1)).await;
    assert_eq!(orders.claimed(&orders.version("q2", 7, 2)).await.by.as_ref(), Some(quotes.name()));
    assert_eq!(orders.claimed(&orders.version("q3", 8, 2)).await.by, None);

    let mut moved = Link::clone(&first.link);
    moved.sides[EXACT] = Some(quotes.version("q2", 7, 2));
    assert!(quotes.change(Some(&first), Some(&moved)).await);
    for quotation in ["q1", "q2"] {
        assert_eq!(orders.claimed_by(quotation).await.as_ref(), Some(quotes.name()), "{quotation}");
    }
    assert_eq!(quotes.link_of(EXACT, "q2").await, Some(moved.id));
    assert_eq!(quotes.link_of(EXACT, "q1").await, None);
}

#[tokio::test]
async fn the_links_of_a_documents_versions_are_found_by_its_number() {
    let (quotes, orders) = both();
    let number = PropertyName::parse("QuoteNumber").unwrap();
    assert_eq!(quotes.pair.versions.as_ref().unwrap().number, number);
    let linked = quotes.of_version("z1", "q1", 7, 1);
    quotes.add(&linked).await;
    let sought = quotes.version("q2", 7, 2);
    let versions =
        async |desk: &Desk, sought| desk.links.versions(&desk.connection, &desk.pair, sought).await.unwrap();
    let (found, check) = versions(&quotes, &sought).await.unwrap();
    assert_eq!(found, super::ids([&linked]));
    let as_orders_see_it = orders.version("q2", 7, 2);
    let of_orders = versions(&orders, &as_orders_see_it).await.unwrap();
    assert!(of_orders.0.is_empty());
    assert!(versions(&quotes, &side("q9", &[])).await.is_none());

    // One that comes meanwhile is not missed.
    let mut half = quotes.half(EXACT, "q3", &[]);
    half.sides[EXACT] = Some(quotes.version("q3", 7, 3));
    quotes.add(&half).await;
    let besides = Besides { checks: vec![check], ..Besides::default() };
    let late = quotes.half(EXACT, "q2", &[]);
    assert!(!quotes.commit(vec![change(None, Some(&late))], besides).await);
}

#[tokio::test]
async fn a_user_belongs_to_many_quotations_and_claims_none() {
    let file = QUOTES
        .replace("\"quote-quotation\"", "\"user-quotation\"\nmembership = true")
        .replace("\"quotes\"", "\"users\"")
        .replace("create = true", "create = false");
    let orders = both().1;
    let users = orders.beside(&file);
    let own = users.half(CRM, "u1", &[]);
    users.add(&own).await;
    let [first, second] = ["q1", "q2"].map(|quotation| {
        let mut link = users.half(EXACT, quotation, &[]);
        link.sides[CRM] = Some(side("u1", &[]));
        link
    });
    let stored = users.add(&first).await;
    users.add(&second).await;
    let members = async || {
        let user = record("u1");
        users.links.members(&users.connection, users.name(), &user).await.unwrap()
    };
    assert_eq!(members().await, super::ids([&first, &second]));
    assert_eq!(users.link_of(CRM, "u1").await, Some(own.id));
    assert_eq!(orders.claimed_by("q1").await, None);

    let mut moved = Link::clone(&stored.link);
    moved.sides[CRM] = Some(side("u2", &[]));
    assert!(users.change(Some(&stored), Some(&moved)).await);
    assert_eq!(members().await, super::ids([&second]));
}
