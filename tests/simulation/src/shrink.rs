//! A scenario that breaks a promise, made as small as it still breaks one.

use crate::Scenario;

/// The smallest scenario, of those that leave out one thing after the other, that still `breaks` something. It is asked at
/// most so many times: a run takes a second or more, and one that breaks something waits long for what never comes.
pub fn shrink(scenario: &Scenario, tries: u32, mut breaks: impl FnMut(&Scenario) -> bool) -> Scenario {
    let mut smallest = scenario.clone();
    let mut left = tries;
    // What was needed while more happened may not be needed any more.
    while let Some(smaller) = simpler(&smallest).into_iter().find(|smaller| {
        let may = left > 0;
        left = left.saturating_sub(1);
        may && breaks(smaller)
    }) {
        smallest = smaller;
    }
    smallest
}

/// The same with one thing less, what takes away most first.
fn simpler(scenario: &Scenario) -> Vec<Scenario> {
    let mut simpler = Vec::new();
    let mut with = |change: &dyn Fn(&mut Scenario)| {
        let mut other = scenario.clone();
        change(&mut other);
        if other != *scenario {
            simpler.push(other);
        }
    };
    with(&|other| other.faults.clear());
    with(&|other| other.events.clear());
    with(&|other| other.connections = 1);
    with(&|other| other.replicas = 1);
    with(&|other| other.edits = other.edits.div_ceil(2));
    for fault in scenario.faults.keys() {
        with(&|other| {
            other.faults.remove(fault);
        });
    }
    for event in scenario.events.keys() {
        with(&|other| {
            other.events.remove(event);
        });
        with(&|other| {
            other.events.insert(*event, 1);
        });
    }
    with(&|other| other.rushes = None);
    simpler
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Fault;
    use crate::scenario::Event;

    fn of_much() -> Scenario {
        let mut scenario = Scenario::standard(1);
        scenario.faults = Fault::ALL.into_iter().map(|fault| (fault, 0.01)).collect();
        scenario.events = Event::ALL.into_iter().map(|event| (event, 4)).collect();
        (scenario.connections, scenario.replicas, scenario.rushes) = (2, 3, Some(6));
        scenario
    }

    #[test]
    fn what_is_left_is_what_it_takes() {
        let needs = |scenario: &Scenario| {
            scenario.faults.contains_key(&Fault::AnswerLost)
                && scenario.events.contains_key(&Event::Flush)
                && scenario.replicas > 1
        };
        let smallest = shrink(&of_much(), 1_000, needs);
        assert_eq!(smallest.faults.keys().collect::<Vec<_>>(), [&Fault::AnswerLost]);
        assert_eq!(smallest.events, [(Event::Flush, 1)].into());
        assert_eq!((smallest.connections, smallest.replicas, smallest.edits), (1, 3, 1));
        assert_eq!(smallest.rushes, None);
    }

    #[test]
    fn it_is_asked_no_more_often_than_it_may_be_and_gives_what_is_known_to_break() {
        let mut asked = 0;
        let smallest = shrink(&of_much(), 3, |_| {
            asked += 1;
            false
        });
        assert_eq!((asked, smallest), (3, of_much()));
    }
}
