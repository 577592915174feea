//! How long a request's body may be, and how deep: whatever reads JSON by recursion has an end.

/// The longest body, in bytes, except for routes that have a limit of their own.
pub const LONGEST_BODY: usize = 256 * 1024;
/// How deep its objects and lists may be nested.
pub const DEEPEST_BODY: usize = 64;

pub fn is_too_deep(body: &[u8]) -> bool {
    depth(body) > DEEPEST_BODY
}

/// How deep objects and lists are nested, if this is JSON: known without parsing it.
pub fn depth(json: &[u8]) -> usize {
    let (mut now, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                now += 1;
                deepest = deepest.max(now);
            }
            b'}' | b']' if !in_text => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_outside_of_texts() {
        let table = [
            ("", 0),
            ("1", 0),
            ("{}", 1),
            (r#"{"a":[1,{"b":[]}],"c":[]}"#, 4),
            (r#"{"a":"[[[[\"[[["}"#, 1),
            (r#"["\\",[]]"#, 2),
            ("]]][", 1),
        ];
        for (json, expected) in table {
            assert_eq!(depth(json.as_bytes()), expected, "{json}");
        }
        assert_eq!(depth("[".repeat(10_000).as_bytes()), 10_000);
    }
}
