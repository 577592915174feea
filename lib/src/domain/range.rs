//! One range of bytes that a client requests (RFC 9110, section 14).

use std::ops::Range;

#[derive(Debug, Clone, PartialEq, Eq)]
enum RangeRequest {
    /// Everything: no range was requested, or one that may be ignored.
    Whole,
    Part(Range<usize>),
    /// The range lies outside.
    Outside,
}

/// Parses `Range: bytes=…` for a body of `length` bytes. Several ranges, and other units, are
/// ignored, as the rules allow.
fn requested(header: Option<&str>, length: usize) -> RangeRequest {
    let Some((first, last)) = header
        .and_then(|text| text.trim().strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'))
    else {
        return RangeRequest::Whole;
    };
    let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more bytes than there are.
        true => Some(text.parse().unwrap_or(usize::MAX)),
        false => None,
    };
    let range = match (first.trim(), last.trim()) {
        ("", "") => None,
        ("", suffix) => number(suffix)
            .map(|count| length.saturating_sub(count)..if count == 0 { 0 } else { length }),
        (first, "") => number(first).map(|first| first..length),
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => {
                Some(first..last.saturating_add(1).min(length))
            }
            _ => None,
        },
    };
    match range {
        None => RangeRequest::Whole,
        Some(range) if range.start < range.end => RangeRequest::Part(range),
        Some(_) => RangeRequest::Outside,
    }
}

/// What is downloaded at a time, in bytes.
pub const LONGEST_PART: usize = 4 * 1024 * 1024;
/// Each part of a larger attachment costs reading all of it.
pub const SHORTEST_PART: usize = 1024 * 1024;

/// What is served for a requested range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    Whole,
    Part(Range<usize>),
    Outside,
    /// So many bytes, more than come at a time.
    TooLarge(usize),
    /// So many bytes of a large attachment, in its middle.
    TooSmall(usize),
}

pub fn served(header: Option<&str>, length: usize) -> Served {
    let range = match requested(header, length) {
        RangeRequest::Whole if length <= LONGEST_PART => return Served::Whole,
        RangeRequest::Whole => return Served::TooLarge(length),
        RangeRequest::Outside => return Served::Outside,
        RangeRequest::Part(range) => range,
    };
    let small = length > LONGEST_PART && range.len() < SHORTEST_PART && range.end < length;
    match range.len() {
        long if long > LONGEST_PART => Served::TooLarge(long),
        short if small => Served::TooSmall(short),
        _ => Served::Part(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_a_large_attachment_is_worth_reading_it() {
        let large = LONGEST_PART + 10;
        let table = [
            (None, 3, Served::Whole),
            (None, LONGEST_PART, Served::Whole),
            (None, large, Served::TooLarge(large)),
            (Some("bytes=0-0"), 3, Served::Part(0..1)),
            (Some("bytes=0-0"), LONGEST_PART, Served::Part(0..1)),
            (Some("bytes=0-0"), large, Served::TooSmall(1)),
            (Some("bytes=0-1048575"), large, Served::Part(0..SHORTEST_PART)),
            (Some("bytes=0-4194303"), large, Served::Part(0..LONGEST_PART)),
            (Some("bytes=0-4194304"), large, Served::TooLarge(LONGEST_PART + 1)),
            (Some("bytes=-10"), large, Served::Part(LONGEST_PART..large)),
            (Some("bytes=4194313-"), large, Served::Part(large - 1..large)),
            (Some("bytes=4194314-"), large, Served::Outside),
        ];
        for (header, length, expected) in table {
            assert_eq!(served(header, length), expected, "{header:?} of {length}");
        }
    }

    #[test]
    fn a_range_is_read_as_the_rules_say() {
        let table = [
            (None, RangeRequest::Whole),
            (Some("bytes=0-3"), RangeRequest::Part(0..4)),
            (Some("bytes=2-"), RangeRequest::Part(2..10)),
            (Some("bytes=-3"), RangeRequest::Part(7..10)),
            (Some("bytes=-30"), RangeRequest::Part(0..10)),
            (Some("bytes=9-99999999999999999999999"), RangeRequest::Part(9..10)),
            (Some("bytes=10-"), RangeRequest::Outside),
            (Some("bytes=10-12"), RangeRequest::Outside),
            (Some("bytes=-0"), RangeRequest::Outside),
            (Some("bytes=3-2"), RangeRequest::Whole),
            (Some("bytes=0-1,4-5"), RangeRequest::Whole),
            (Some("bytes=a-b"), RangeRequest::Whole),
            (Some("bytes=-"), RangeRequest::Whole),
            (Some("lines=0-1"), RangeRequest::Whole),
        ];
        for (header, expected) in table {
            assert_eq!(requested(header, 10), expected, "{header:?}");
        }
        assert_eq!(requested(Some("bytes=0-0"), 0), RangeRequest::Outside);
    }
}
