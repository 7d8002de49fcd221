use chaos::{ARRIVES_WITHIN, Company, Hosting, RECOVERS_WITHIN, World};

/// The broker of one process is within it: nobody else can put a message there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_message_becomes_a_dead_letter_with_its_reason_and_stops_nothing() {
    let world = World::start(Hosting::Processes).await;
    let (queues, queue) = (world.queues(), world.queues().pair());
    queues.publish(&queue, b"{\"specversion\":").await;
    let dead = queues.dead_letter(RECOVERS_WITHIN).await;
    assert_eq!((dead.origin.as_str(), dead.body.as_slice()), (queue.as_str(), &b"{\"specversion\":"[..]));
    assert!(dead.reason.contains("not a CloudEvent"), "{}", dead.reason);

    let unknown = br#"{"specversion":"1.0","id":"0192d1c4-0000-7000-8000-000000000000","source":"somebody",
        "type":"tandem.unheard-of.v9","time":"2026-11-22T12:00:00Z","datacontenttype":"application/json","data":{}}"#;
    queues.publish(&queue, unknown).await;
    let dead = queues.dead_letter(RECOVERS_WITHIN).await;
    assert!(dead.reason.contains("tandem.unheard-of.v9"), "{}", dead.reason);

    world.site().crm.create(&Company::new("Gewone Klant").as_customer()).await;
    world.site().exact.wait_for("Gewone Klant", "City", "Utrecht", ARRIVES_WITHIN).await;
    world.settled().await;
    world.end().await;
}
