//! What somebody may have meant by an unknown word.

/// Below this two words have too little in common to name the one for the other.
const ALIKE: f64 = 0.75;

/// The known word that is most like this one; `None` where none is.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &word.to_lowercase());
    known
        .iter()
        .map(|known| (likeness(known), *known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// What to write instead of an unknown word: the nearest, and all that there are.
pub fn instead(word: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match nearest(word, known) {
        Some(nearest) if known.len() > 1 => format!("did you mean {nearest:?}? Known here: {all}"),
        Some(nearest) => format!("did you mean {nearest:?}?"),
        None => format!("write one of {all}"),
    }
}
