//! An upload that comes in pieces, each with a `Content-Range`. It is of one process, which begins
//! an upload and ends it within a request.

#[derive(Default)]
pub struct Pieces(Vec<u8>);

#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// So many bytes so far.
    Arrived(usize),
    Whole(Vec<u8>),
}

impl Pieces {
    /// `None` if the piece is out of its place.
    pub fn take(&mut self, range: &str, body: &[u8]) -> Option<Taken> {
        let (span, length) = range.strip_prefix("bytes ")?.split_once('/')?;
        let length: usize = length.parse().ok()?;
        if span != "*" {
            let begins = format!("{}-", self.0.len());
            if !span.starts_with(&begins) {
                return None;
            }
            self.0.extend_from_slice(body);
        }
        match self.0.len() < length {
            true => Some(Taken::Arrived(self.0.len())),
            false => Some(Taken::Whole(std::mem::take(&mut self.0))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_in_their_order() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.take("bytes 0-1/5", b"ab"), Some(Taken::Arrived(2)));
        for misplaced in ["bytes 0-1/5", "bytes 3-4/5", "bytes 2-4", "2-4/5", "bytes 2-4/x"] {
            assert_eq!(pieces.take(misplaced, b"cde"), None, "{misplaced}");
        }
        assert_eq!(pieces.take("bytes */5", b""), Some(Taken::Arrived(2)));
        assert_eq!(pieces.take("bytes 2-4/5", b"cde"), Some(Taken::Whole(b"abcde".to_vec())));
    }
}
