//! Query strings, forms and path segments, decoded.

use reqwest::Url;

#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2`, from a URL or from a form body.
    pub fn parse(encoded: &str) -> Self {
        Self(pairs(encoded))
    }

    pub fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(key, _)| key != name).cloned().collect())
    }

    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

/// In a path `+` is itself, not a space.
pub(crate) fn decode_segment(segment: &str) -> String {
    let pairs = pairs(&format!("s={}", segment.replace('+', "%2B").replace('&', "%26")));
    pairs.into_iter().next().map(|(_, value)| value).unwrap_or_default()
}

fn pairs(encoded: &str) -> Vec<(String, String)> {
    let Ok(url) = Url::parse(&format!("http://localhost/?{}", encoded.replace('#', "%23"))) else {
        return Vec::new();
    };
    url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}
