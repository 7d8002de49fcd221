//! What a link's history says: what was seen, and what was found.

use super::{
    document::{papers, seen_paper},
    fixture::{CRM, EXACT, Story, linked, ours, plain},
};

#[test]
fn it_says_what_was_seen_where_and_at_which_version() {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B"), ("c", "C")]), plain());
    story.edited(CRM, 2, &[("a", "A2"), ("b", "B2"), ("c", "C")]);
    assert_eq!(story.notes()[0], "seen in customcrm at version 2: a, b");
    story.sees(EXACT, ours(EXACT, 3, &[("c", "C3")]));
    assert_eq!(story.notes()[0], "seen in exactonline at version 3: our own change of c");
}

#[test]
fn it_names_the_rows_of_lines_and_not_each_of_their_cells() {
    let mut story = Story::of_two(&["L1 p 2 10", "L2 q 1 5"], &["X1 p 2 10", "X2 q 1 5"], papers());
    assert!(story.notes().contains(&"lines found in exactonline for lines of customcrm: 2"));
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10", "L2 q 9 7"]));
    assert_eq!(story.notes()[0], "seen in customcrm at version 2: Lines.Price, Lines.Quantity");
    let found = |note: &&str| note.starts_with("lines found");
    assert!(!story.notes().iter().any(found), "both were known");
}
