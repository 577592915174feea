//! A mail's bytes taken apart into its header fields and its body, so that those which stay can be
//! written again as they were.

/// A field with its continuation lines, and the line end after each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// In lower case.
    pub name: String,
    pub lines: Vec<u8>,
}

/// The fields of the header in their order, and the body after the empty line. Lines that are no
/// field are left out.
pub fn split(mail: &[u8]) -> (Vec<Field>, &[u8]) {
    let mut fields: Vec<Field> = Vec::new();
    let mut rest = mail;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        let text = line.trim_ascii_end();
        rest = after;
        if text.is_empty() && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            break;
        }
        let begins = !line.starts_with(b" ") && !line.starts_with(b"\t");
        if begins {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let name = String::from_utf8_lossy(&line[..colon]).trim().to_ascii_lowercase();
            fields.push(Field { name, lines: Vec::new() });
        }
        if let Some(field) = fields.last_mut()
            && !text.is_empty()
        {
            field.lines.extend_from_slice(text);
            field.lines.extend_from_slice(b"\r\n");
        }
    }
    (fields, rest)
}

/// The mail without a field.
pub fn without(mail: &[u8], name: &str) -> Vec<u8> {
    let (fields, body) = split(mail);
    if !fields.iter().any(|field| field.name == name) {
        return mail.to_vec();
    }
    let kept = fields.into_iter().filter(|field| field.name != name);
    let mut bytes: Vec<u8> = kept.flat_map(|field| field.lines).collect();
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_taken_apart_by_its_fields() {
        let mail = b"From: a@x.example\nTo: b@x.example,\r\n c@x.example\r\nno field\r\nBCC: d@x.example\r\n \r\n\te@x.example\r\n\r\nSubject: body\r\n\r\nx";
        let (fields, body) = split(mail);
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["from", "to", "bcc"]);
        assert_eq!(fields[1].lines, b"To: b@x.example,\r\n c@x.example\r\n");
        assert_eq!(body, b"Subject: body\r\n\r\nx");
        assert_eq!(
            String::from_utf8(without(mail, "bcc")).unwrap(),
            "From: a@x.example\r\nTo: b@x.example,\r\n c@x.example\r\n\r\nSubject: body\r\n\r\nx"
        );
        assert_eq!(without(mail, "cc"), mail);
        assert_eq!(split(b"\r\nx"), (vec![], &b"x"[..]));
        assert_eq!(split(b"A: b").0[0].lines, b"A: b\r\n");
    }
}
