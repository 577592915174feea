//! The message ids in a header (RFC 5322, section 3.6.4), as mailers write them.

/// All ids of a header in their order, each in angle brackets, with one blank between them; `None`
/// if there are none. Commas or nothing may stand between ids, a comment is none, blanks within an
/// id are left out, and a word with an `@` is an id without its brackets. In brackets an id need not
/// have one: RFC 5322 wants it, and mailers thread by what there is.
pub fn message_ids(value: &str) -> Option<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let is_in_brackets = first == '<';
        let (id, after) = match first {
            '<' => in_brackets(&rest[1..]),
            '(' => ("", comment(&rest[1..])),
            _ if is_between(first) => ("", &rest[first.len_utf8()..]),
            _ => {
                let end = rest.find(|letter| is_between(letter) || "<(".contains(letter));
                rest.split_at(end.unwrap_or(rest.len()))
            }
        };
        let is_closed = is_in_brackets && rest[1 + id.len()..].starts_with('>');
        let is_one_word = is_closed && !id.is_empty() && !id.chars().any(is_between);
        let id: String = id.chars().filter(|letter| !is_between(*letter)).collect();
        if id.contains('@') || (is_one_word && id.is_ascii()) {
            ids.push(format!("<{id}>"));
        }
        rest = after;
    }
    (!ids.is_empty()).then(|| ids.join(" "))
}

fn is_between(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control() || ",;>".contains(letter)
}

/// What is before the closing bracket, or before the next id if there is none, and what follows.
fn in_brackets(rest: &str) -> (&str, &str) {
    match rest.find(['<', '>']) {
        Some(end) if rest[end..].starts_with('>') => (&rest[..end], &rest[end + 1..]),
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    }
}

fn comment(rest: &str) -> &str {
    rest.find(')').map_or("", |end| &rest[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_however_they_are_written() {
        for (value, expected) in [
            ("<a@x.example>", "<a@x.example>"),
            (
                "<a@x.example> <b@x.example>\t<c@x.example>",
                "<a@x.example> <b@x.example> <c@x.example>",
            ),
            (
                "<a@x.example>,<b@x.example>, <c@x.example>",
                "<a@x.example> <b@x.example> <c@x.example>",
            ),
            ("<a@x.example><b@x.example>", "<a@x.example> <b@x.example>"),
            ("a@x.example", "<a@x.example>"),
            ("<a@x.example> (added by <b@x.example>)", "<a@x.example>"),
            ("Your message of Monday <a@x.example>", "<a@x.example>"),
            ("< a@x.example >", "<a@x.example>"),
            ("<a@x. example>", "<a@x.example>"),
            ("<a@x.example <b@x.example>", "<a@x.example> <b@x.example>"),
            ("<a@x.example", "<a@x.example>"),
            ("<a> <b@x.example>", "<a> <b@x.example>"),
        ] {
            assert_eq!(message_ids(value).as_deref(), Some(expected), "{value}");
        }
        for value in ["", "none", "<>", "<my last mail>", "<ä>", "(a@x.example)", "(a@x.example"] {
            assert_eq!(message_ids(value), None, "{value}");
        }
    }

    #[test]
    fn a_sender_cannot_make_it_look_twice() {
        for piece in ["<", ">", "(", "<a@", "@", "a@b,", "()", "<>"] {
            let header = piece.repeat(500_000 / piece.len());
            assert!(
                message_ids(&header).is_none_or(|ids| ids.len() <= 3 * header.len()),
                "{piece}"
            );
        }
    }
}
