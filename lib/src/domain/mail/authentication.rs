//! What the receiving server found out about who sent a mail (RFC 8601). Anybody can write such a
//! header into a mail: only the topmost one counts, and only if the receiving server's name is on
//! it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::mail_domain::MailDomain;

const HEADER: &str = "authentication-results";

/// A receiving server, and how to recognize its header.
#[derive(Debug, Clone, Copy)]
pub struct Receiver {
    /// The authserv-id at the beginning of its header.
    pub authserv_id: &'static str,
    /// A header of mail that it took from another server's mailbox without checking who sent it.
    pub unchecked: &'static str,
}

/// Each as the receiving server wrote it; absent if it said nothing of the kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Authentication {
    /// Of the server that delivered it, for the domain of the envelope: not that of `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spf: Option<Verdict>,
    /// Of a signature, of whatever domain; `pass` if any of several is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dkim: Option<Verdict>,
    /// Whether one of both speaks for the domain of `from`: the only one that says something about
    /// it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<Verdict>,
}

/// RFC 8601's words for a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Fail,
    Softfail,
    Neutral,
    None,
    Temperror,
    Permerror,
    Policy,
}

/// One `method=result` with what belongs to it.
struct Finding<'a> {
    method: &'a str,
    verdict: Verdict,
    properties: &'a [String],
}

impl Authentication {
    /// `None` if the receiving server reported nothing, or nothing that is unambiguous. `from` is
    /// the domain of the `From` address.
    pub fn read(
        headers: &[(String, String)],
        receiver: &Receiver,
        from: Option<&MailDomain>,
    ) -> Option<Self> {
        let named = |name: &str| {
            headers
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
        };
        if named(receiver.unchecked).is_some() {
            return None;
        }
        let value = named(HEADER)?;
        let clauses = clauses(value)?;
        let (server, rest) = clauses.split_first()?;
        if !is_of(server, receiver) {
            return None;
        }
        let findings: Vec<Finding<'_>> = rest.iter().filter_map(|words| finding(words)).collect();
        let of = |method: &'static str| {
            findings.iter().filter(move |finding| finding.method.eq_ignore_ascii_case(method))
        };
        let passed = of("dkim").find(|finding| finding.verdict == Verdict::Pass);
        let read = Self {
            spf: of("spf").next().map(|finding| finding.verdict),
            dkim: passed.or_else(|| of("dkim").next()).map(|finding| finding.verdict),
            dmarc: of("dmarc")
                .next()
                .filter(|finding| is_alone(value) && is_about(finding, from))
                .map(|finding| finding.verdict),
        };
        (read != Self::default()).then_some(read)
    }

    /// Whether the domain of `from` stands behind the mail.
    pub fn is_passed(&self) -> bool {
        self.dmarc == Some(Verdict::Pass)
    }
}

/// The name, and perhaps the version of the form, which is 1.
fn is_of(server: &[String], receiver: &Receiver) -> bool {
    match server {
        [name] => name.eq_ignore_ascii_case(receiver.authserv_id),
        [name, version] => name.eq_ignore_ascii_case(receiver.authserv_id) && version == "1",
        _ => false,
    }
}

/// The header also quotes the envelope's sender, who chooses the local part of the address: a
/// result that is hidden in it makes the word appear twice.
fn is_alone(value: &str) -> bool {
    value.to_ascii_lowercase().matches("dmarc=").count() == 1
}

/// The receiving server may have checked another one of several From addresses.
fn is_about(finding: &Finding<'_>, from: Option<&MailDomain>) -> bool {
    let mut properties = finding.properties.iter().filter_map(|word| word.split_once('='));
    let domain = properties
        .find(|(name, _)| name.eq_ignore_ascii_case("header.from"))
        .map(|(_, domain)| domain.trim_matches('"'));
    from.is_some() && domain.and_then(|domain| MailDomain::parse(domain).ok()).as_ref() == from
}

fn finding(words: &[String]) -> Option<Finding<'_>> {
    let (first, properties) = words.split_first()?;
    let (method, result) = first.split_once('=')?;
    Some(Finding { method, verdict: Verdict::parse(result)?, properties })
}

impl Verdict {
    fn parse(word: &str) -> Option<Self> {
        let words = [
            ("pass", Self::Pass),
            ("fail", Self::Fail),
            ("softfail", Self::Softfail),
            ("neutral", Self::Neutral),
            ("none", Self::None),
            ("temperror", Self::Temperror),
            ("permerror", Self::Permerror),
            ("policy", Self::Policy),
        ];
        words
            .into_iter()
            .find(|(known, _)| word.eq_ignore_ascii_case(known))
            .map(|(_, verdict)| verdict)
    }
}

/// The words between the semicolons, without comments and with their quotes; nothing if brackets or
/// quotes do not match.
fn clauses(value: &str) -> Option<Vec<Vec<String>>> {
    let (mut clauses, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let (mut depth, mut quoted) = (0_u32, false);
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if depth > 0 => drop(letters.next()?),
            '\\' if quoted => word.extend([letter, letters.next()?]),
            '"' if depth == 0 => {
                quoted = !quoted;
                word.push(letter);
            }
            _ if quoted => word.push(letter),
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ if depth > 0 => {}
            ';' => {
                end(&mut words, &mut word);
                clauses.push(std::mem::take(&mut words));
            }
            _ if letter.is_whitespace() => end(&mut words, &mut word),
            _ => word.push(letter),
        }
    }
    end(&mut words, &mut word);
    clauses.push(words);
    (depth == 0 && !quoted).then_some(clauses)
}

fn end(words: &mut Vec<String>, word: &mut String) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIVER: Receiver =
        Receiver { authserv_id: "mx.google.com", unchecked: "X-Gmail-Fetch-Info" };
    const GOOD: &str = "mx.google.com;       dkim=pass header.i=@trusted.example header.s=s1 header.b=abc;       \
        spf=pass (google.com: domain of pay@trusted.example designates 192.0.2.1 as permitted sender) \
        smtp.mailfrom=pay@trusted.example;       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=trusted.example";

    fn read(headers: &[(&str, &str)]) -> String {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let from = MailDomain::parse("trusted.example").unwrap();
        match Authentication::read(&headers, &RECEIVER, Some(&from)) {
            Some(read) => {
                serde_json::to_value(read).unwrap().to_string().replace(['{', '}', '"'], "")
            }
            None => "nothing".into(),
        }
    }

    #[test]
    fn the_receiving_servers_results_are_read() {
        let table = [
            (GOOD, "dkim:pass,dmarc:pass,spf:pass"),
            ("MX.Google.com 1; SPF=SoftFail; dkim=policy", "dkim:policy,spf:softfail"),
            (
                "mx.google.com; spf=none; dkim=neutral; dmarc=permerror header.from=trusted.example",
                "dkim:neutral,dmarc:permerror,spf:none",
            ),
            (
                "mx.google.com; dkim=fail header.i=@a.example; dkim=pass header.i=@b.example",
                "dkim:pass",
            ),
            ("mx.google.com; dkim=temperror; dkim=fail", "dkim:temperror"),
            (
                "mx.google.com; dmarc=fail (p=NONE) header.from=\"TRUSTED.example\"; dara=pass header.i=@gmail.com",
                "dmarc:fail",
            ),
            ("mx.google.com; spf=pass (a; dmarc=fail) smtp.mailfrom=\"b; dkim=fail\"", "spf:pass"),
            ("mx.google.com; none", "nothing"),
            ("mx.google.com; spf=bestguesspass; dkim=", "nothing"),
            ("mx.google.com", "nothing"),
            ("", "nothing"),
        ];
        for (value, expected) in table {
            assert_eq!(read(&[("authentication-RESULTS", value)]), expected, "{value}");
        }
    }

    #[test]
    fn a_result_about_another_from_is_none() {
        for about in
            ["other.example", "a.trusted.example", "trusted.example.other.example", "\"\"", ""]
        {
            let value = format!("mx.google.com; spf=pass; dmarc=pass header.from={about}");
            assert_eq!(read(&[("Authentication-Results", &value)]), "spf:pass", "{about}");
        }
        assert_eq!(
            read(&[("Authentication-Results", "mx.google.com; spf=pass; dmarc=pass")]),
            "spf:pass"
        );
        let headers = [("Authentication-Results".to_string(), GOOD.to_string())];
        assert_eq!(
            Authentication::read(&headers, &RECEIVER, None).unwrap().dmarc,
            None,
            "a mail without a From"
        );
    }

    #[test]
    fn what_a_sender_wrote_does_not_count() {
        let forged = ("Authentication-Results", GOOD);
        let failed = (
            "Authentication-Results",
            "mx.google.com; spf=fail; dmarc=fail header.from=trusted.example",
        );
        let other =
            ("Authentication-Results", "mx.evil.example; dmarc=pass header.from=trusted.example");
        type Headers<'a> = &'a [(&'a str, &'a str)];
        let table: [(&str, Headers<'_>, &str); 7] = [
            ("below the receiving server's", &[failed, forged], "dmarc:fail,spf:fail"),
            ("below another server's", &[other, forged], "nothing"),
            ("of another server", &[other], "nothing"),
            (
                "a server whose name begins like it",
                &[("Authentication-Results", "mx.google.com.evil.example; spf=pass")],
                "nothing",
            ),
            (
                "another version",
                &[("Authentication-Results", "mx.google.com 2; spf=pass")],
                "nothing",
            ),
            (
                "of a chain of forwarders",
                &[
                    ("ARC-Authentication-Results", GOOD),
                    ("X-Original-Authentication-Results", GOOD),
                ],
                "nothing",
            ),
            (
                "in mail taken from elsewhere",
                &[("X-Gmail-Fetch-Info", "ada@x.example 1 pop.x.example 995 ada"), forged],
                "nothing",
            ),
        ];
        for (case, headers, expected) in table {
            assert_eq!(read(headers), expected, "{case}");
        }
    }

    #[test]
    fn what_the_envelope_says_cannot_become_a_result() {
        let of = |local: &str| {
            format!(
                "mx.google.com; spf=pass (google.com: domain of {local}@evil.example designates 192.0.2.1 as permitted sender) \
                 smtp.mailfrom={local}@evil.example"
            )
        };
        let hidden = "dmarc=pass header.from=trusted.example";
        for local in [
            format!("a); {hidden} (b"),
            format!("\"a); {hidden} (b\""),
            format!("a\\); {hidden} \\(b"),
            format!("\"a; {hidden} ;b\""),
            format!("a);{hidden};x=("),
            "a)".into(),
            "(".into(),
            "\"".into(),
        ] {
            let result = read(&[("Authentication-Results", &of(&local))]);
            assert!(!result.contains("dmarc"), "{local}: {result}");
        }
    }
}
