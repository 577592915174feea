//! Routes by their templates.

/// The values of a template's parameters, in order; `None` if the path is another route's.
pub fn matched<'a>(template: impl IntoIterator<Item = &'a str>, path: &str) -> Option<Vec<String>> {
    let template: Vec<&str> = template.into_iter().collect();
    let segments: Vec<&str> = path.split('/').collect();
    if template.len() != segments.len() {
        return None;
    }
    let mut ids = Vec::new();
    for (wanted, given) in template.iter().zip(&segments) {
        match wanted.starts_with('{') {
            true if !given.is_empty() => ids.push(percent_decoded(given)),
            false if wanted == given => {}
            _ => return None,
        }
    }
    Some(ids)
}

/// A path's segment; a plus sign is itself there.
fn percent_decoded(segment: &str) -> String {
    let pair = format!("id={}", segment.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
