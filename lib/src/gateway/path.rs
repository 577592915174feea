//! The path of a request, whatever its text: the route that the gateway matched, or segments that
//! are taken as they are.
//!
//! API Gateway's HTTP APIs hand the path over decoded, even twice, and cut at a decoded `?`, so
//! that slashes, dots and backslashes that stood in an id look like the path's own. No id of ours
//! or of a provider needs a sign that could be mistaken: a path with any other sign names nothing.

use std::collections::BTreeMap;

/// Longer paths name nothing either.
const LONGEST_PATH: usize = 4_096;

/// The path to route by; `None` if nothing can have this name.
pub fn route(
    route_key: &str,
    parameters: &BTreeMap<String, String>,
    raw_path: &str,
) -> Option<String> {
    let template = route_key.split_once(' ').map(|(_, template)| template);
    if template.is_some_and(|template| is_cut(template, raw_path)) {
        return None;
    }
    let matched = template.and_then(|template| filled(template, parameters));
    let segments = matched.unwrap_or_else(|| raw_path.split('/').collect());
    let (&before, named) = segments.split_first()?;
    if !before.is_empty() || named.is_empty() || !named.iter().all(|segment| is_segment(segment)) {
        return None;
    }
    Some(segments.join("/")).filter(|path| path.len() <= LONGEST_PATH)
}

/// Whether the gateway took a slash off the id at the end: it takes `/x/` for `/x`, and the slash
/// may have been the id's own, encoded. The console's pages are named by nobody's id.
fn is_cut(template: &str, raw_path: &str) -> bool {
    template.starts_with("/api/") && template.ends_with('}') && raw_path.ends_with('/')
}

/// The segments of the matched route with the value of each `{name}`; `None` if one is missing, as
/// for a greedy parameter.
fn filled<'a>(template: &'a str, parameters: &'a BTreeMap<String, String>) -> Option<Vec<&'a str>> {
    let segment = |segment: &'a str| match segment
        .strip_prefix('{')
        .and_then(|name| name.strip_suffix('}'))
    {
        Some(name) => parameters.get(name).map(String::as_str),
        None => Some(segment),
    };
    template.split('/').map(segment).collect()
}

/// Letters, digits and the signs that mean themselves in a path (RFC 3986, `pchar` without
/// percent-encoding).
fn is_segment(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: &str = "DELETE /api/connectors/{id}/{collection}/{item}";

    fn of_item(item: &str, raw_path: &str) -> Option<String> {
        let parameters = [("id", "con_1"), ("collection", "labels"), ("item", item)];
        route(
            ITEM,
            &parameters
                .into_iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            raw_path,
        )
    }

    #[test]
    fn an_id_is_that_id_or_names_nothing() {
        let whole = Some("/api/connectors/con_1/labels/Label_1".to_string());
        // Decoded or as it was sent: what the gateway matched is the route.
        assert_eq!(of_item("Label_1", "/api/connectors/con_1/labels/Label_1"), whole);
        assert_eq!(of_item("Label_1", "/api/owner/data"), whole);
        assert_eq!(of_item("Label_1", "/api/connectors/con_1/labels/Label_1/"), None);
        for item in [
            "",
            ".",
            "..",
            "../../../triggers/trg_1",
            "..\\..\\..\\owner\\data",
            "a/b",
            "a//b",
            "/",
            "\\",
            "a?permanent=true",
            "a#b",
            "a\0b",
            "a b",
            "a\nb",
            "a%2Fb",
            "%2e%2e",
            "a%",
            "ä",
            "a\u{202e}b",
            "<",
            "\"",
            "`",
            "{",
            "|",
            "^",
        ] {
            assert_eq!(of_item(item, "/api/connectors/con_1/labels/Label_1"), None, "{item:?}");
        }
    }

    #[test]
    fn without_a_matched_route_the_path_is_taken_segment_by_segment() {
        let raw = |path: &str| route("$default", &BTreeMap::new(), path);
        for path in [
            "/",
            "//",
            "",
            "x",
            "/api//connectors",
            "/api/./connectors",
            "/api/x/../owner",
            "/api/x\\..\\owner",
            "/api/",
            "/a%2Fb",
        ] {
            assert_eq!(raw(path), None, "{path:?}");
        }
        for path in [
            "/api/connectors",
            "/api/connectors/con_1/messages/19b0/attachments/1.0",
            "/api/a@b:c=d+e",
        ] {
            assert_eq!(raw(path).as_deref(), Some(path));
        }
        assert_eq!(raw(&format!("/{}", "a".repeat(LONGEST_PATH))), None);
        // A greedy parameter does not show its own slashes: the path itself is taken.
        assert_eq!(
            route("GET /api/{proxy+}", &BTreeMap::from([("proxy".into(), "x".into())]), "/api/y")
                .as_deref(),
            Some("/api/y")
        );
        assert_eq!(route("GET /api/{id}", &BTreeMap::new(), "/api/y").as_deref(), Some("/api/y"));
    }
}
