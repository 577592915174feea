//! The mailboxes in a header (RFC 5322, section 3.4). Who sent a mail is decided by this, so an
//! address is only read where an address must be: never in a display name, a comment, or a part of
//! either.

use super::encoded_word;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// As it was written, with its encoded words.
    pub name: Option<String>,
    /// `local@domain`. The local part is quoted where it must be, and the domain holds no `@`.
    pub address: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Space,
    /// Letters that an address may hold, the dot among them.
    Atom(String),
    Quoted(String),
    Encoded(String),
    Comment(String),
    /// `[192.0.2.1]`, in place of a domain.
    Literal(String),
    Special(char),
}

/// What is between two commas.
#[derive(Default)]
struct Entry {
    outside: Vec<Token>,
    /// How much of `outside` is before the angle brackets: a name stands nowhere else.
    name_ends: usize,
    /// Where in `outside`, and in `comments`, begins what is after the last comma of a name.
    last_begins: (usize, usize),
    holds_an_at: bool,
    comments: Vec<String>,
    angle: Option<Vec<Token>>,
    /// It does not name a single mailbox: two pairs of angle brackets, or one within another.
    broken: bool,
}

/// In their order. An entry without a valid address is left out, with its name.
pub fn mailboxes(value: &str) -> Vec<Mailbox> {
    entries(value).iter().filter_map(Entry::mailbox).collect()
}

/// What the entries without a valid address show.
pub fn unreadable(value: &str) -> Vec<String> {
    let lost = |entry: Entry| match (entry.mailbox(), &entry.angle) {
        (Some(_), Some(_)) => None,
        // `Smith, bo@x.example`
        (Some(_), None) => {
            let (outside, comments) = entry.last_begins;
            let before = name_of(&entry.outside[..outside], &entry.comments[..comments]);
            before.map(|name| name.trim_end_matches([',', ' ']).to_string())
        }
        (None, angle) => {
            let is_written = angle.is_some() || entry.holds_an_at;
            entry.name().or_else(|| is_written.then(|| "…".into()))
        }
    };
    entries(value).into_iter().filter_map(lost).collect()
}

/// The name that is shown where no mailbox can be read: the first one.
pub fn shown_name(value: &str) -> Option<String> {
    entries(value).iter().find_map(Entry::name)
}

fn entries(value: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut entry = Entry::default();
    let mut in_angle = false;
    for token in tokens(value) {
        match token {
            Token::Special('<') => {
                entry.broken |= in_angle || entry.angle.is_some();
                if entry.angle.is_none() {
                    entry.name_ends = entry.outside.len();
                }
                entry.angle.get_or_insert_default();
                in_angle = true;
            }
            Token::Special('>') if in_angle => in_angle = false,
            token if in_angle => entry.angle.get_or_insert_default().push(token),
            // `Smith, Bo <bo@x.example>`: what holds no `@` is no mailbox, but the name's beginning.
            Token::Special(',') if entry.is_only_a_name() => {
                entry.outside.push(Token::Special(','));
                entry.last_begins = (entry.outside.len(), entry.comments.len());
            }
            Token::Special(',' | ';') => found.push(std::mem::take(&mut entry)),
            // The name of a group ends here; it belongs to no mailbox.
            Token::Special(':') => entry = Entry::default(),
            Token::Comment(text) => {
                entry.outside.push(Token::Space);
                entry.comments.push(text);
            }
            token => {
                entry.holds_an_at |= token == Token::Special('@');
                entry.outside.push(token);
            }
        }
    }
    found.push(entry);
    found
}

impl Entry {
    fn mailbox(&self) -> Option<Mailbox> {
        if self.broken {
            return None;
        }
        let Some(angle) = &self.angle else {
            // Without brackets no name stands before an address: `Smith, bo@x.example` are two.
            let (outside, comments) = self.last_begins;
            let address = address(&self.outside[outside..])?;
            return Some(Mailbox { name: name_of(&[], &self.comments[comments..]), address });
        };
        Some(Mailbox { name: self.name(), address: address(angle)? })
    }

    /// What is shown, also where there is no valid address.
    fn name(&self) -> Option<String> {
        let ends = if self.angle.is_some() { self.name_ends } else { self.outside.len() };
        name_of(&self.outside[..ends], &self.comments)
    }

    fn is_only_a_name(&self) -> bool {
        self.angle.is_none()
            && !self.holds_an_at
            && self.outside.iter().any(|token| *token != Token::Space)
    }
}

/// The phrase with the comments.
fn name_of(phrased: &[Token], comments: &[String]) -> Option<String> {
    let (phrase, comment) = (phrase(phrased), comments.join(" "));
    match (phrase.is_empty(), comment.trim().is_empty()) {
        (false, false) => Some(format!("{phrase} ({comment})")),
        (false, true) => Some(phrase),
        (true, false) => Some(comment),
        (true, true) => None,
    }
}

/// Exactly a local part, an `@` and a domain.
fn address(tokens: &[Token]) -> Option<String> {
    match trimmed(without_route(trimmed(tokens))) {
        [local, Token::Special('@'), Token::Atom(domain) | Token::Literal(domain)] => {
            Some(format!("{}@{domain}", local_part(local)?))
        }
        _ => None,
    }
}

/// Relays that old mail names before an address: `@one,@two:ada@example.com`.
fn without_route(tokens: &[Token]) -> &[Token] {
    let colon = tokens.iter().position(|token| *token == Token::Special(':'));
    match (tokens.first(), colon) {
        (Some(Token::Special('@')), Some(colon)) => &tokens[colon + 1..],
        _ => tokens,
    }
}

fn trimmed(mut tokens: &[Token]) -> &[Token] {
    let unseen = |token: &Token| matches!(token, Token::Space | Token::Comment(_));
    while let [first, rest @ ..] = tokens
        && unseen(first)
    {
        tokens = rest;
    }
    while let [rest @ .., last] = tokens
        && unseen(last)
    {
        tokens = rest;
    }
    tokens
}

fn local_part(token: &Token) -> Option<String> {
    match token {
        Token::Atom(atom) => Some(atom.clone()),
        Token::Quoted(text) if text.is_empty() => None,
        // Without its quotes it is the same, unless its dots stand where an atom has none.
        Token::Quoted(text) if text.split('.').all(is_atom) => Some(text.clone()),
        Token::Quoted(text) => {
            Some(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
        }
        _ => None,
    }
}

fn phrase(tokens: &[Token]) -> String {
    let mut joined = String::new();
    for token in tokens {
        match token {
            Token::Space => joined.push(' '),
            Token::Special(special) => joined.push(*special),
            Token::Atom(text)
            | Token::Quoted(text)
            | Token::Encoded(text)
            | Token::Comment(text)
            | Token::Literal(text) => {
                joined.push_str(text);
            }
        }
    }
    joined.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn tokens(value: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        if let Some(length) = encoded_word::length(rest) {
            found.push(Token::Encoded(rest[..length].into()));
            rest = &rest[length..];
            continue;
        }
        let (token, then) = match first {
            _ if first.is_whitespace() => (Token::Space, after),
            '"' => {
                let (text, then) = quoted(after);
                (Token::Quoted(text), then)
            }
            '(' => {
                let (text, then) = comment(after);
                (Token::Comment(text), then)
            }
            '[' => {
                let (text, then) = rest.split_at(rest.find(']').map_or(rest.len(), |at| at + 1));
                (Token::Literal(text.into()), then)
            }
            _ if is_of_an_atom(first) => {
                let (text, then) =
                    rest.split_at(rest.find(|letter| !is_of_an_atom(letter)).unwrap_or(rest.len()));
                (Token::Atom(text.into()), then)
            }
            special => (Token::Special(special), after),
        };
        found.push(token);
        rest = then;
    }
    found
}

fn is_atom(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_of_an_atom)
}

fn is_of_an_atom(letter: char) -> bool {
    !letter.is_whitespace() && !letter.is_control() && !"()<>[]:;@\\,\"".contains(letter)
}

/// What is before the closing quote, and what is after it.
fn quoted(rest: &str) -> (String, &str) {
    let mut text = String::new();
    let mut letters = rest.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (text, &rest[at + 1..]),
            '\\' => text.extend(letters.next().map(|(_, escaped)| escaped)),
            letter => text.push(letter),
        }
    }
    (text, "")
}

/// What is before the bracket that closes the comment, and what is after it.
fn comment(rest: &str) -> (String, &str) {
    let mut text = String::new();
    let mut depth = 1;
    let mut letters = rest.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                text.extend(letters.next().map(|(_, escaped)| escaped));
                continue;
            }
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (text, &rest[at + 1..]);
        }
        text.push(letter);
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Vec<String> {
        let one = |found: Mailbox| match found.name {
            Some(name) => format!("{name} | {}", found.address),
            None => found.address,
        };
        mailboxes(value).into_iter().map(one).collect()
    }

    #[test]
    fn only_what_stands_where_an_address_must_stand_is_one() {
        let table: [(&str, &[&str]); 52] = [
            ("bo@x.example", &["bo@x.example"]),
            (" Bo  Smith <bo@x.example> ", &["Bo Smith | bo@x.example"]),
            (
                r#""Smith, Bo" <bo@x.example>, cy@x.example"#,
                &["Smith, Bo | bo@x.example", "cy@x.example"],
            ),
            ("bo@x.example (Bo (the Second))", &["Bo (the Second) | bo@x.example"]),
            ("Bo (at work) <bo@x.example>", &["Bo (at work) | bo@x.example"]),
            (
                "Team: bo@x.example, Cy <cy@x.example>;, di@x.example",
                &["bo@x.example", "Cy | cy@x.example", "di@x.example"],
            ),
            ("undisclosed-recipients:;", &[]),
            ("<@one.example,@two.example:bo@x.example>", &["bo@x.example"]),
            ("bo@[192.0.2.1]", &["bo@[192.0.2.1]"]),
            ("prvs=1078=bo@x.example", &["prvs=1078=bo@x.example"]),
            ("jürgen@bücher.example", &["jürgen@bücher.example"]),
            // Names that hold an address.
            (
                r#""pay@trusted.example" <evil@x.example>"#,
                &["pay@trusted.example | evil@x.example"],
            ),
            ("pay@trusted.example <evil@x.example>", &["pay@trusted.example | evil@x.example"]),
            (
                r#""a" pay@trusted.example (c) <evil@x.example>"#,
                &["a pay@trusted.example (c) | evil@x.example"],
            ),
            (
                r#""a <pay@trusted.example>" <evil@x.example>"#,
                &["a <pay@trusted.example> | evil@x.example"],
            ),
            (
                r#""a \"<pay@trusted.example>, " <evil@x.example>"#,
                &["a \"<pay@trusted.example>, | evil@x.example"],
            ),
            (
                "=?utf-8?q?<pay@trusted.example>,?= <evil@x.example>",
                &["=?utf-8?q?<pay@trusted.example>,?= | evil@x.example"],
            ),
            // Comments that hold one.
            ("(pay@trusted.example) evil@x.example", &["pay@trusted.example | evil@x.example"]),
            (
                r"evil@x.example (\) <pay@trusted.example>)",
                &[") <pay@trusted.example> | evil@x.example"],
            ),
            ("evil@x.example (pay@trusted.example", &["pay@trusted.example | evil@x.example"]),
            // Local parts that hold one.
            (r#""pay@trusted.example"@x.example"#, &[r#""pay@trusted.example"@x.example"#]),
            (r#"<"pay@trusted.example,"@x.example>"#, &[r#""pay@trusted.example,"@x.example"#]),
            (r#""b\"o\\"@x.example"#, &[r#""b\"o\\"@x.example"#]),
            (r#""bo"@x.example"#, &["bo@x.example"]),
            (r#""b.o"@x.example"#, &["b.o@x.example"]),
            (r#""ab..cd."@x.example"#, &[r#""ab..cd."@x.example"#]),
            (r#"".bo" <".bo"@x.example>"#, &[r#".bo | ".bo"@x.example"#]),
            (r#""john doe"@x.example"#, &[r#""john doe"@x.example"#]),
            // No address at all.
            (r#""pay@trusted.example" (hi)"#, &[]),
            ("=?utf-8?q?pay=40trusted.example?=", &[]),
            ("=?utf-8?q?pay?=@trusted.example", &[]),
            ("Bo pay@trusted.example", &[]),
            ("ada@, @example.com, a@b@trusted.example, Bo at example dot com, <>, <ada>", &[]),
            // It is ambiguous which of the two it is.
            ("<evil@x.example> <pay@trusted.example>", &[]),
            ("<evil@x.example <pay@trusted.example>>, bo@x.example", &["bo@x.example"]),
            // Nothing is glued: an address in brackets is the address, whatever stands after it.
            // A name stands before it (RFC 5322, section 3.4), so that what is after it is none.
            // Python's email reads the same address, and no name.
            ("<ceo@bank.example> evil@x.example", &["ceo@bank.example"]),
            ("<ceo@bank.example>evil@x.example", &["ceo@bank.example"]),
            (
                "Ceo <ceo@bank.example> evil@x.example, bo@x.example",
                &["Ceo | ceo@bank.example", "bo@x.example"],
            ),
            ("<ceo@bank.example> (Ceo)", &["Ceo | ceo@bank.example"]),
            ("ceo@bank.example evil@x.example", &[]),
            ("ceo@bank.example> evil@x.example", &[]),
            ("ceo>@bank.example", &[]),
            ("ceo@bank>.example", &[]),
            ("-> Bo <bo@x.example>", &["-> Bo | bo@x.example"]),
            ("Bo <bo@x.example", &["Bo | bo@x.example"]),
            // A comma that nobody quoted. Python's email has two mailboxes, one without a domain.
            ("Smith, Bo <bo@x.example>", &["Smith, Bo | bo@x.example"]),
            (
                "Smith, Bo, Jr. <bo@x.example>, cy@x.example",
                &["Smith, Bo, Jr. | bo@x.example", "cy@x.example"],
            ),
            ("Smith (x), bo@x.example", &["bo@x.example"]),
            ("Smith, bo@x.example (Bo)", &["Bo | bo@x.example"]),
            (
                "pay@trusted.example, Bo <bo@x.example>",
                &["pay@trusted.example", "Bo | bo@x.example"],
            ),
            (
                "Team: Smith, Bo <bo@x.example>; Cy <cy@x.example>",
                &["Smith, Bo | bo@x.example", "Cy | cy@x.example"],
            ),
            (", , Bo <bo@x.example>", &["Bo | bo@x.example"]),
        ];
        for (value, expected) in table {
            assert_eq!(read(value), expected, "{value}");
        }
    }

    #[test]
    fn without_an_address_there_is_a_name_to_show() {
        let table = [
            ("Only A Name", Some("Only A Name")),
            (r#""Only A Name""#, Some("Only A Name")),
            ("Smith, Bo", Some("Smith, Bo")),
            ("Bo <>", Some("Bo")),
            ("Bo <bo>", Some("Bo")),
            ("(Bo)", Some("Bo")),
            ("Bo bo@x.example", Some("Bo bo@x.example")),
            ("a@b@trusted.example", Some("a@b@trusted.example")),
            ("undisclosed-recipients:;", None),
            ("<>", None),
            ("<evil@x.example> <pay@trusted.example>", None),
            ("", None),
        ];
        for (value, expected) in table {
            assert_eq!(mailboxes(value), [], "{value}");
            assert_eq!(shown_name(value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_sender_cannot_make_it_look_twice() {
        for piece in [
            "=?a?q?",
            "\"",
            "(",
            "[",
            "<",
            "@",
            "=?",
            "a,",
            ",",
            " ,",
            "a (b),",
            ":",
            "\\",
            "=?a?q?b?=",
        ] {
            let header = piece.repeat(500_000 / piece.len());
            assert!(mailboxes(&header).len() < header.len(), "{piece}");
            assert!(shown_name(&header).is_none_or(|name| name.len() <= header.len()), "{piece}");
        }
    }
}
