//! The bucket of large mail, on S3. Every request is a signed URL: those that leave this process,
//! and its own, so that there is one way to sign and no client besides the one for HTTPS.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, RANGE};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};

use super::https;
use crate::domain::timestamp::Timestamp;
use crate::domain::upload::{ObjectKey, URL_LIFE, UploadSpec};
use crate::ports::{Cause, Objects, Shown, SignedUrl, Unavailable};

/// For a request of our own, which begins at once.
const OWN_LIFE: Duration = Duration::from_secs(60);
/// 25 MB go through in well under this; API Gateway waits for 30 seconds in all.
const LONGEST_TRANSFER: Duration = Duration::from_secs(20);
/// A request that broke off is tried so often.
const ATTEMPTS: u32 = 3;
const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-checksum-sha256");

pub struct S3 {
    http: Client,
    credentials: Option<SharedCredentialsProvider>,
    region: String,
    /// The bucket's URL, without a slash at its end.
    bucket: String,
}

impl S3 {
    pub fn new(config: &SdkConfig, http: Client, bucket: &str) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let bucket = match config.endpoint_url() {
            Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
            None => format!("https://{bucket}.s3.{region}.amazonaws.com"),
        };
        Self { http, credentials: config.credentials_provider(), region, bucket }
    }

    async fn signed(&self, signing: Signing<'_>) -> Result<Url, Cause> {
        let provider = self.credentials.as_ref().ok_or("there are no credentials")?;
        let credentials = provider.provide_credentials().await?;
        signing.url(&self.bucket, &self.region, credentials)
    }

    /// Sends what `request` makes of a signed URL, until there is an answer that is no server's
    /// error.
    async fn send(
        &self,
        signing: Signing<'_>,
        request: impl FnOnce(Url) -> RequestBuilder,
    ) -> Result<Response, Unavailable> {
        let url = self.signed(signing).await.map_err(Unavailable::bucket)?;
        let request = request(url).timeout(LONGEST_TRANSFER);
        let mut attempt = 1;
        loop {
            // Clones share the body.
            let again = request.try_clone().ok_or_else(|| Unavailable::bucket("no clone"))?;
            let failed = match again.send().await {
                Ok(response) if !response.status().is_server_error() => return Ok(response),
                Ok(response) => Cause::from(format!("answered {}", response.status())),
                Err(error) => error.without_url().into(),
            };
            if attempt == ATTEMPTS {
                return Err(Unavailable::bucket(failed));
            }
            attempt += 1;
        }
    }
}

impl Objects for S3 {
    async fn put_url(
        &self,
        key: &ObjectKey,
        spec: &UploadSpec,
        now: Timestamp,
    ) -> Result<SignedUrl, Unavailable> {
        let mut headers = vec![(CONTENT_LENGTH.as_str().to_string(), spec.size.to_string())];
        headers.extend(spec.checksum().map(|sum| (CHECKSUM.as_str().to_string(), sum)));
        let signing =
            Signing { headers: &headers, ..Signing::new(Method::PUT, key, now, URL_LIFE) };
        let url = self.signed(signing).await.map_err(Unavailable::bucket)?;
        let shown = headers.into_iter().map(|(name, value)| {
            (
                if name == CHECKSUM.as_str() { "x-amz-checksum-sha256" } else { "content-length" },
                value,
            )
        });
        Ok(SignedUrl { url: url.into(), headers: shown.collect(), expires_at: now.after(URL_LIFE) })
    }

    async fn get_url(
        &self,
        key: &ObjectKey,
        shown: &Shown,
        now: Timestamp,
    ) -> Result<SignedUrl, Unavailable> {
        let query = [
            ("response-content-disposition", shown.disposition.as_str()),
            ("response-content-type", shown.mime_type.as_str()),
        ];
        let signing = Signing { query: &query, ..Signing::new(Method::GET, key, now, URL_LIFE) };
        let url = self.signed(signing).await.map_err(Unavailable::bucket)?;
        Ok(SignedUrl { url: url.into(), headers: Vec::new(), expires_at: now.after(URL_LIFE) })
    }

    async fn size(&self, key: &ObjectKey, now: Timestamp) -> Result<Option<u64>, Unavailable> {
        let signing = Signing::new(Method::GET, key, now, OWN_LIFE);
        let response =
            self.send(signing, |url| self.http.get(url).header(RANGE, "bytes=0-0")).await?;
        let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
        let whole = range.and_then(|range| range.rsplit_once('/')?.1.parse().ok());
        match (response.status(), whole) {
            (StatusCode::PARTIAL_CONTENT, Some(whole)) => Ok(Some(whole)),
            // Nothing is in it.
            (StatusCode::RANGE_NOT_SATISFIABLE, _) => Ok(Some(0)),
            // To who may not list a bucket S3 does not say that there is no such object.
            (StatusCode::NOT_FOUND | StatusCode::FORBIDDEN, _) => Ok(None),
            (status, _) => {
                Err(Unavailable::bucket(format!("a GET of a byte was answered {status}")))
            }
        }
    }

    async fn read(
        &self,
        key: &ObjectKey,
        range: Range<u64>,
        now: Timestamp,
    ) -> Result<Vec<u8>, Unavailable> {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        if length == 0 {
            return Ok(Vec::new());
        }
        let header = format!("bytes={}-{}", range.start, range.end - 1);
        let signing = Signing::new(Method::GET, key, now, OWN_LIFE);
        let response = self.send(signing, |url| self.http.get(url).header(RANGE, &header)).await?;
        let status = response.status();
        if status != StatusCode::PARTIAL_CONTENT {
            return Err(Unavailable::bucket(format!("a GET of a range was answered {status}")));
        }
        let bytes = https::body(response, length).await.map_err(Unavailable::bucket)?;
        if bytes.len() != length {
            return Err(Unavailable::bucket("a range came shorter than it was asked for"));
        }
        Ok(bytes)
    }

    async fn write(
        &self,
        key: &ObjectKey,
        bytes: Vec<u8>,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        let signing = Signing::new(Method::PUT, key, now, OWN_LIFE);
        let response = self.send(signing, |url| self.http.put(url).body(bytes)).await?;
        match response.status() {
            StatusCode::OK => Ok(()),
            status => Err(Unavailable::bucket(format!("a PUT was answered {status}"))),
        }
    }
}

/// A request whose URL is signed. Headers and query belong to what is signed.
struct Signing<'a> {
    method: Method,
    key: &'a ObjectKey,
    headers: &'a [(String, String)],
    query: &'a [(&'a str, &'a str)],
    now: Timestamp,
    life: Duration,
}

impl<'a> Signing<'a> {
    fn new(method: Method, key: &'a ObjectKey, now: Timestamp, life: Duration) -> Self {
        Self { method, key, headers: &[], query: &[], now, life }
    }

    /// AWS Signature Version 4 in the query
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>).
    fn url(
        &self,
        bucket: &str,
        region: &str,
        credentials: aws_credential_types::Credentials,
    ) -> Result<Url, Cause> {
        let mut url = Url::parse(&format!("{bucket}/{}", self.key.as_str()))?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query);
        }
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.expires_in = Some(self.life);
        let identity = credentials.into();
        let millis = u64::try_from(self.now.millis())?;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("s3")
            .time(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            .settings(settings)
            .build()?
            .into();
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new(
            self.method.as_str(),
            url.as_str(),
            headers,
            SignableBody::UnsignedPayload,
        )?;
        let (instructions, _) = sign(request, &params)?.into_parts();
        url.query_pairs_mut().extend_pairs(instructions.params());
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_config::Region;
    use aws_credential_types::Credentials;
    use uuid::Uuid;

    use super::*;
    use crate::domain::id::{ConnectorId, OwnerId};
    use crate::domain::upload::UploadId;

    const NOON: Timestamp = Timestamp::from_seconds(1_369_353_600);

    fn s3() -> S3 {
        let credentials = Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            Some("session".into()),
            None,
            "test",
        );
        let config = SdkConfig::builder()
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        S3::new(&config, https::client().unwrap(), "mail")
    }

    fn key() -> ObjectKey {
        ObjectKey::of_upload(
            &OwnerId::new("ada"),
            &ConnectorId::new("con_1"),
            UploadId(Uuid::from_u128(7)),
        )
    }

    fn query(url: &str) -> BTreeMap<String, String> {
        Url::parse(url).unwrap().query_pairs().into_owned().collect()
    }

    #[tokio::test]
    async fn nothing_but_what_was_announced_can_be_put() {
        let spec = UploadSpec { size: 7, sha256: Some("00".repeat(32)) };
        let signed = s3().put_url(&key(), &spec, NOON).await.unwrap();
        let query = query(&signed.url);
        assert_eq!(query["X-Amz-SignedHeaders"], "content-length;host;x-amz-checksum-sha256");
        assert_eq!((&*query["X-Amz-Expires"], &*query["X-Amz-Date"]), ("900", "20130524T000000Z"));
        assert_eq!(query["X-Amz-Security-Token"], "session");
        assert_eq!(
            signed.headers.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["content-length", "x-amz-checksum-sha256"]
        );
        assert_eq!(signed.expires_at, NOON.after(Duration::from_secs(900)));
        assert!(signed.url.starts_with("https://mail.s3.eu-central-1.amazonaws.com/up/"));
        let other = s3().put_url(&key(), &UploadSpec { size: 8, ..spec }, NOON).await.unwrap();
        assert_ne!(query["X-Amz-Signature"], self::query(&other.url)["X-Amz-Signature"]);
    }

    #[tokio::test]
    async fn how_a_file_is_shown_is_part_of_what_is_signed() {
        let url = async |disposition: &str| {
            let shown = Shown { disposition: disposition.into(), mime_type: "text/plain".into() };
            query(&s3().get_url(&key(), &shown, NOON).await.unwrap().url)
        };
        let (one, other) = (url("attachment; filename=\"a b\"").await, url("inline").await);
        assert_eq!(one["response-content-disposition"], "attachment; filename=\"a b\"");
        assert_ne!(one["X-Amz-Signature"], other["X-Amz-Signature"]);
    }

    /// The example of AWS's own description of presigned URLs.
    #[test]
    fn a_url_is_signed_as_aws_says() {
        let credentials = Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            None,
            None,
            "test",
        );
        let key = ObjectKey::example("test.txt");
        let signing = Signing::new(Method::GET, &key, NOON, Duration::from_secs(86400));
        let url = signing
            .url("https://examplebucket.s3.amazonaws.com", "us-east-1", credentials)
            .unwrap();
        assert_eq!(
            query(url.as_str())["X-Amz-Signature"],
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
    }
}
