//! Where this API stands as its callers see it, by what the gateway says of a request. No header
//! says so: `Host` and its like are the caller's own.

use crate::domain::provider::{Provider, registered};

const CONSOLE: &str = "/console";
/// The stage that has no segment in the path (API Gateway's HTTP APIs).
const DEFAULT_STAGE: &str = "$default";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicBase {
    origin: String,
    /// Empty, or with a slash before it and none at its end.
    path: String,
}

impl PublicBase {
    /// From the gateway's `domainName` and `stage`. `None` if they could be no part of a URL.
    ///
    /// A custom domain's base path is not among them: behind one, nothing is known to be the API's
    /// own.
    pub fn of(domain_name: &str, stage: &str) -> Option<Self> {
        let (host, port) = match domain_name.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (domain_name, None),
        };
        let named = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        let numbered = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        let path = match stage {
            "" | DEFAULT_STAGE => String::new(),
            stage => format!("/{stage}"),
        };
        let plain = path.split('/').skip(1).all(|segment| {
            !matches!(segment, "" | "." | "..")
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.$".contains(&byte))
        });
        if !(named && numbered && plain) {
            return None;
        }
        // Only a gateway on the same machine serves without TLS.
        let local = host == "127.0.0.1" || host == "localhost" || host.ends_with(".localhost");
        let scheme = if local { "http" } else { "https" };
        Some(Self { origin: format!("{scheme}://{}", domain_name.to_ascii_lowercase()), path })
    }

    /// As a browser's header `Origin` names it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// A URL of this API; the path begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.path)
    }

    /// The redirect URI of the console that this stack serves.
    pub fn console_callback(&self, provider: Provider) -> String {
        self.url(&format!("{CONSOLE}{}", registered(provider).callback))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_stands_below_the_api_itself() {
        let table = [
            (
                "a1.execute-api.eu-central-1.amazonaws.example",
                "$default",
                "https://a1.execute-api.eu-central-1.amazonaws.example",
            ),
            ("mail.example.com", "", "https://mail.example.com"),
            ("Mail.Example.com", "prod", "https://mail.example.com/prod"),
            (
                "127.0.0.1:4566",
                "_aws/execute-api/a1/$default",
                "http://127.0.0.1:4566/_aws/execute-api/a1/$default",
            ),
            ("a1.execute-api.localhost:4566", "$default", "http://a1.execute-api.localhost:4566"),
            ("127.0.0.1.example.com", "$default", "https://127.0.0.1.example.com"),
        ];
        for (domain_name, stage, base) in table {
            let own = PublicBase::of(domain_name, stage).unwrap();
            assert_eq!(own.url(""), base);
            assert_eq!(
                own.console_callback(Provider::Gmail),
                format!("{base}/console/auth/google/callback")
            );
            assert!(base.starts_with(own.origin()));
            assert_eq!(own.origin().matches('/').count(), 2, "an origin has no path");
        }
    }

    #[test]
    fn what_is_no_host_or_no_stage_has_no_base() {
        for (domain_name, stage) in [
            ("", "$default"),
            ("a b", "$default"),
            ("user@host", "$default"),
            ("host/path", "$default"),
            ("host?a", "$default"),
            ("host#a", "$default"),
            ("host:", "$default"),
            ("host:0", "$default"),
            ("host:80a", "$default"),
            ("host:1:2", "$default"),
            ("bücher.example", "$default"),
            ("host", ".."),
            ("host", "a/../b"),
            ("host", "a//b"),
            ("host", "a?b"),
            ("host", "/a"),
        ] {
            assert_eq!(PublicBase::of(domain_name, stage), None, "{domain_name} {stage}");
        }
    }
}
