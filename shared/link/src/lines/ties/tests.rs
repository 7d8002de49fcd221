//! That what needs no renaming is seen as such: of a large document that is most of the work.
#![allow(clippy::unwrap_used)]

use model::System;

use super::is_under_ties;
use crate::{
    lines::Lines,
    tests::document::{linked_paper, paper, papers},
};

fn needs_no_renaming(system: System, seen: &[&str]) -> bool {
    let policy = papers();
    let lines = Lines::of(&policy).unwrap();
    is_under_ties(&linked_paper(&["L1 p 1 1", "L2 q 2 2"]), &lines, system, &paper(seen))
}

#[test]
fn lines_of_the_side_with_which_the_link_began_are_under_their_ties() {
    assert!(needs_no_renaming(System::CustomCrm, &["L1 p 1 1", "L2 q 2 2"]));
    assert!(needs_no_renaming(System::CustomCrm, &["L2 q 3 2"]));
    assert!(needs_no_renaming(System::CustomCrm, &[]));
}

#[test]
fn lines_that_are_new_or_have_another_id_are_not() {
    assert!(!needs_no_renaming(System::CustomCrm, &["L1 p 1 1", "L2 q 2 2", "L3 r 1 1"]));
    assert!(!needs_no_renaming(System::CustomCrm, &["L0 r 1 1", "L1 p 1 1", "L2 q 2 2"]));
    assert!(!needs_no_renaming(System::ExactOnline, &["X1 p 1 1", "X2 q 2 2"]));
    assert!(!needs_no_renaming(System::ExactOnline, &["L1 p 1 1"]), "the tie's key is not its own one there");
}
