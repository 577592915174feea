//! The parts of a multipart body, cut as RFC 2046, 5.1.1 has it.
//!
//! mailparse takes a line for a boundary if it only begins with it, so that `b1` ends at `b10`; and
//! refuses a whole mail for the first line of one part.

/// The parts between the boundaries; `None` if there is no boundary at all. A last part that is
/// not closed goes on to the end.
pub(crate) fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<&'a [u8]>> {
    let delimiter = [b"--", boundary.as_bytes()].concat();
    let mut parts = Vec::new();
    let (mut at, mut open) = (0, None);
    let mut found = false;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        let Some(after) = line.strip_prefix(delimiter.as_slice()).map(<[u8]>::trim_ascii_end)
        else {
            continue;
        };
        let closing = after == b"--";
        if !closing && !after.is_empty() {
            continue;
        }
        found = true;
        parts.extend(open.map(|from: usize| without_line_end(&body[from..start])));
        open = (!closing).then_some(end);
        if closing {
            break;
        }
    }
    parts.extend(open.map(|from| &body[from..]));
    found.then_some(parts)
}

/// The line end before a boundary belongs to the boundary.
fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_a_whole_line() {
        let table: [(&str, Option<&[&str]>); 8] = [
            ("--b\r\none\r\n--b\r\ntwo\r\n--b--\r\nepilogue", Some(&["one", "two"])),
            ("preamble\n--b\none\n\n--b--\n", Some(&["one\n"])),
            ("--b \t\r\none\r\n--b--", Some(&["one"])),
            ("--b\r\n--b1\r\nwithin\r\n--b1--\r\n--b--", Some(&["--b1\r\nwithin\r\n--b1--"])),
            ("--b\r\nnever closed\r\n", Some(&["never closed\r\n"])),
            ("--b\r\n--b--\r\n", Some(&[""])),
            ("--b--\r\n", Some(&[])),
            ("nothing of the kind --b\r\n", None),
        ];
        for (body, expected) in table {
            let parts = parts(body.as_bytes(), "b");
            let expected = expected.map(|parts| parts.iter().map(|part| part.as_bytes()).collect());
            assert_eq!(parts, expected, "{body:?}");
        }
    }
}
