//! A `$filter` in words, texts and signs.

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// In lower case: names, operators, moments, `true`, `false`, `null`.
    Word(String),
    /// Between quotes; a doubled quote is one.
    Text(String),
    Open,
    Close,
    Comma,
    Colon,
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' => sign(&mut found, Token::Open),
            ')' => sign(&mut found, Token::Close),
            ',' => sign(&mut found, Token::Comma),
            ':' => sign(&mut found, Token::Colon),
            '\'' => {
                let (token, length) = quoted(rest).ok_or_else(|| unterminated(text))?;
                found.push(token);
                length
            }
            _ => word(rest, &mut found),
        };
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn sign(found: &mut Vec<Token>, token: Token) -> usize {
    found.push(token);
    1
}

fn unterminated(text: &str) -> String {
    format!("There is an unterminated string literal at position {} in '{text}'.", text.len())
}

fn quoted(rest: &str) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != '\'' {
            text.push(letter);
        } else if letters.next_if(|(_, next)| *next == '\'').is_some() {
            text.push('\'');
        } else {
            return Some((Token::Text(text), at + 1));
        }
    }
    None
}

/// A moment has colons of its own.
fn word(rest: &str, found: &mut Vec<Token>) -> usize {
    let is_moment = rest.starts_with(|first: char| first.is_ascii_digit());
    let ends = |letter: char| {
        letter.is_whitespace() || "(),'".contains(letter) || (letter == ':' && !is_moment)
    };
    let length = rest.find(ends).unwrap_or(rest.len());
    found.push(Token::Word(rest[..length].to_lowercase()));
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_moments_stay_whole() {
        let found = tokens("a ge 2026-01-01T00:00:00Z and s eq 'it''s'").unwrap();
        let word = |word: &str| Token::Word(word.into());
        let expected = [
            word("a"),
            word("ge"),
            word("2026-01-01t00:00:00z"),
            word("and"),
            word("s"),
            word("eq"),
            Token::Text("it's".into()),
        ];
        assert_eq!(found, expected);
        assert!(tokens("s eq 'open").is_err());
    }
}
