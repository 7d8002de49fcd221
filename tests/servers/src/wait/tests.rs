use super::*;

#[test]
fn a_condition_that_comes_true_gives_its_value() {
    let mut looks = 0;
    let value = wait_until("three looks", Duration::from_secs(10), || {
        looks += 1;
        if looks == 3 { Ok("done") } else { Err(looks) }
    });
    assert_eq!((value, looks), ("done", 3));
}

#[test]
#[should_panic(expected = "the end of time: not within 1ms; last seen: look 2")]
fn a_condition_that_stays_false_is_reported_with_its_last_status() {
    let mut looks = 0;
    wait_until("the end of time", Duration::from_millis(1), || {
        looks += 1;
        Err::<(), _>(format!("look {looks}"))
    });
}

#[tokio::test]
async fn a_condition_that_awaits_may_borrow_what_it_changes() {
    let mut looks = Vec::new();
    wait_until_async("two looks", Duration::from_secs(10), async || {
        tokio::task::yield_now().await;
        looks.push(());
        if looks.len() == 2 { Ok(()) } else { Err(looks.len()) }
    })
    .await;
    assert_eq!(looks.len(), 2);
}

#[tokio::test]
#[should_panic(expected = "the end of time: not within 1ms; last seen: never")]
async fn a_condition_that_awaits_and_stays_false_is_reported_too() {
    wait_until_async("the end of time", Duration::from_millis(1), async || Err::<(), _>("never")).await;
}
