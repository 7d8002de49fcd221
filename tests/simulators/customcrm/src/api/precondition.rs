//! `If-Match`: whether a call still means the version that the record has.

use axum::http::{HeaderMap, header};

use crate::problem::{Problem, ProblemKind};

/// The values of `If-Match` that can be read: any version, or a list of entity tags (RFC 9110).
pub(crate) const IF_MATCH_PATTERN: &str = r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$"#;

/// Refuses a call whose `If-Match` does not name the version that the record has.
pub(super) fn check_version(headers: &HeaderMap, version: u64) -> Result<(), Problem> {
    let current = format!("\"{version}\"");
    let mut named = false;
    for value in headers.get_all(header::IF_MATCH) {
        named = true;
        let value = value.to_str().unwrap_or_default().trim();
        if value == "*" {
            return Ok(());
        }
        let tags = entity_tags(value).ok_or_else(|| {
            Problem::new(
                ProblemKind::BadRequest,
                "If-Match must have the form \"<Version>\", with the quotes",
            )
        })?;
        // A weak tag matches nothing here: the comparison is the strong one.
        if tags.contains(&current.as_str()) {
            return Ok(());
        }
    }
    if named {
        let detail = format!("the record has version {version} now: read it again and decide anew");
        Err(Problem::new(ProblemKind::Stale, detail))
    } else {
        Ok(())
    }
}

/// The tags of a list, at least one, each with its quotes and the mark of a weak one.
fn entity_tags(list: &str) -> Option<Vec<&str>> {
    let mut tags = Vec::new();
    let mut rest = list;
    loop {
        let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (inside, behind) = quoted.split_once('"')?;
        if !inside.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'~')) {
            return None;
        }
        tags.push(&rest[..rest.len() - behind.len()]);
        let behind = behind.trim_start();
        if behind.is_empty() {
            return Some(tags);
        }
        rest = behind.strip_prefix(',')?.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::entity_tags;

    #[test]
    fn a_list_has_tags_in_quotes_and_nothing_else() {
        assert_eq!(entity_tags("\"1\""), Some(vec!["\"1\""]));
        assert_eq!(entity_tags("W/\"1\" ,\t\"a,b\",\"\""), Some(vec!["W/\"1\"", "\"a,b\"", "\"\""]));
        for list in [
            "",
            "1",
            "\"1",
            "1\"",
            "\"1\"2\"",
            "\"1\",",
            ",\"1\"",
            "\"1\" \"2\"",
            "\"a b\"",
            "w/\"1\"",
            "*,\"1\"",
        ] {
            assert_eq!(entity_tags(list), None, "{list}");
        }
    }
}
