//! A `$filter` in words, read into an expression.

use super::lexer::{Token, tokens};
use super::{Expression, Operator, is_filterable, literal};

/// Errors are Graph's messages for a `BadRequest`.
pub(crate) fn parse(text: &str) -> Result<Expression, String> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, text };
    let expression = reader.or()?;
    if reader.at < reader.tokens.len() { Err(reader.problem()) } else { Ok(expression) }
}

struct Reader<'a> {
    tokens: Vec<Token>,
    at: usize,
    text: &'a str,
}

impl Reader<'_> {
    fn problem(&self) -> String {
        format!("Invalid filter clause: Syntax error at position {} in '{}'.", self.at, self.text)
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(|| self.problem())?;
        self.at += 1;
        Ok(token)
    }

    fn next_is(&mut self, wanted: &Token) -> bool {
        let is = self.tokens.get(self.at) == Some(wanted);
        self.at += usize::from(is);
        is
    }

    fn word_is(&mut self, word: &str) -> bool {
        self.next_is(&Token::Word(word.into()))
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), String> {
        if self.next_is(wanted) { Ok(()) } else { Err(self.problem()) }
    }

    fn or(&mut self) -> Result<Expression, String> {
        let mut one = self.and()?;
        while self.word_is("or") {
            one = Expression::Or(Box::new(one), Box::new(self.and()?));
        }
        Ok(one)
    }

    fn and(&mut self) -> Result<Expression, String> {
        let mut one = self.single()?;
        while self.word_is("and") {
            one = Expression::And(Box::new(one), Box::new(self.single()?));
        }
        Ok(one)
    }

    fn single(&mut self) -> Result<Expression, String> {
        if self.word_is("not") {
            return Ok(Expression::Not(Box::new(self.single()?)));
        }
        if self.next_is(&Token::Open) {
            let within = self.or()?;
            self.expect(&Token::Close)?;
            return Ok(within);
        }
        let Token::Word(name) = self.next()? else { return Err(self.problem()) };
        if self.next_is(&Token::Open) {
            return self.called(&name);
        }
        let name = self.property(name)?;
        let operator = self.operator()?;
        let value = self.value()?;
        Ok(Expression::Compare { property: name, operator, value })
    }

    fn called(&mut self, name: &str) -> Result<Expression, String> {
        if let Some(collection) = name.strip_suffix("/any") {
            return self.any(collection.to_owned());
        }
        if !matches!(name, "startswith" | "endswith" | "contains") {
            return Err(format!("An unknown function with name '{name}' was found."));
        }
        let Token::Word(property) = self.next()? else { return Err(self.problem()) };
        let property = self.property(property)?;
        self.expect(&Token::Comma)?;
        let Token::Text(value) = self.next()? else { return Err(self.problem()) };
        self.expect(&Token::Close)?;
        Ok(Expression::Text { function: name.into(), property, value })
    }

    fn any(&mut self, collection: String) -> Result<Expression, String> {
        if !matches!(collection.as_str(), "categories" | "torecipients" | "ccrecipients") {
            return Err(unknown(&collection));
        }
        self.next()?;
        self.expect(&Token::Colon)?;
        self.next()?;
        let operator = self.operator()?;
        let value = self.value()?;
        self.expect(&Token::Close)?;
        Ok(Expression::Any { collection, operator, value })
    }

    fn property(&self, name: String) -> Result<String, String> {
        if is_filterable(&name) { Ok(name) } else { Err(unknown(&name)) }
    }

    fn operator(&mut self) -> Result<Operator, String> {
        let Token::Word(word) = self.next()? else { return Err(self.problem()) };
        Ok(match word.as_str() {
            "eq" => Operator::Eq,
            "ne" => Operator::Ne,
            "gt" => Operator::Gt,
            "ge" => Operator::Ge,
            "lt" => Operator::Lt,
            "le" => Operator::Le,
            _ => return Err(self.problem()),
        })
    }

    fn value(&mut self) -> Result<super::Literal, String> {
        let token = self.next()?;
        literal(&token).ok_or_else(|| self.problem())
    }
}

fn unknown(name: &str) -> String {
    format!(
        "Invalid filter clause: Could not find a property named '{name}' on type 'microsoft.graph.message'."
    )
}
