//! The bucket in memory, and what it does at the URLs that it signed.

use std::collections::BTreeMap;
use std::ops::Range;

use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::upload::{ObjectKey, URL_LIFE, UploadSpec};
use email_connectors::ports::{Objects, Shown, SignedUrl, Unavailable};

use super::World;
use super::script::Call;

#[derive(Default)]
pub(crate) struct Bucket {
    objects: BTreeMap<ObjectKey, Vec<u8>>,
    /// Of each URL, by the number in it.
    signed: Vec<Signed>,
    /// What its URLs begin with.
    base: String,
}

struct Signed {
    key: ObjectKey,
    /// `None`: to get it.
    put: Option<UploadSpec>,
    shown: Option<Shown>,
    until: Timestamp,
}

/// What was answered to whoever had a URL.
#[derive(Debug, PartialEq, Eq)]
pub struct Served {
    pub status: u16,
    pub bytes: Vec<u8>,
    pub shown: Option<Shown>,
}

impl Served {
    fn only(status: u16) -> Self {
        Self { status, bytes: Vec::new(), shown: None }
    }
}

impl Bucket {
    fn sign(&mut self, signed: Signed, headers: Vec<(&'static str, String)>) -> SignedUrl {
        let (number, expires_at) = (self.signed.len(), signed.until);
        let url = format!("{}/bucket/{}?X-Amz-Signature={number}", self.base, signed.key.as_str());
        self.signed.push(signed);
        SignedUrl { url, headers, expires_at }
    }
}

#[derive(Clone)]
pub struct MemoryObjects(World);

impl MemoryObjects {
    pub(crate) fn new(world: World) -> Self {
        Self(world)
    }

    /// Where its URLs lead.
    pub fn serve_at(&self, base: &str) {
        self.0.lock().bucket.base = base.into();
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        self.0.lock().bucket.objects.keys().map(|key| key.as_str().to_string()).collect()
    }

    /// As after a day, when the bucket's rule deletes what is in it.
    pub fn expire(&self) {
        self.0.lock().bucket.objects.clear();
    }

    /// What S3 does with a request, by its whole URL and its `content-length`.
    pub fn serve(&self, method: &str, url: &str, bytes: Option<Vec<u8>>) -> Served {
        let mut state = self.0.lock();
        let (now, bucket) = (state.now, &mut state.bucket);
        let number =
            url.split_once("?X-Amz-Signature=").and_then(|(_, number)| number.parse().ok());
        let signed = number.and_then(|number: usize| bucket.signed.get(number));
        let path = |signed: &Signed| format!("/bucket/{}?", signed.key.as_str());
        let Some(signed) =
            signed.filter(|signed| url.contains(&path(signed)) && now < signed.until)
        else {
            return Served::only(403);
        };
        match (method, &signed.put, bytes) {
            ("PUT", Some(spec), Some(bytes)) if spec.size == bytes.len() as u64 => {
                bucket.objects.insert(signed.key.clone(), bytes);
                Served::only(200)
            }
            ("GET", None, _) => match bucket.objects.get(&signed.key) {
                Some(bytes) => {
                    Served { status: 200, bytes: bytes.clone(), shown: signed.shown.clone() }
                }
                None => Served::only(404),
            },
            _ => Served::only(403),
        }
    }
}

fn gone() -> Unavailable {
    Unavailable::bucket("there is no such range")
}

impl Objects for MemoryObjects {
    async fn put_url(
        &self,
        key: &ObjectKey,
        spec: &UploadSpec,
        now: Timestamp,
    ) -> Result<SignedUrl, Unavailable> {
        self.0
            .call(Call::PutUrl, "", |state| {
                let until = now.after(URL_LIFE);
                let signed =
                    Signed { key: key.clone(), put: Some(spec.clone()), shown: None, until };
                Ok(state.bucket.sign(signed, vec![("content-length", spec.size.to_string())]))
            })
            .await
    }

    async fn get_url(
        &self,
        key: &ObjectKey,
        shown: &Shown,
        now: Timestamp,
    ) -> Result<SignedUrl, Unavailable> {
        self.0
            .call(Call::GetUrl, "", |state| {
                let until = now.after(URL_LIFE);
                let shown = Some(shown.clone());
                let signed = Signed { key: key.clone(), put: None, shown, until };
                Ok(state.bucket.sign(signed, Vec::new()))
            })
            .await
    }

    async fn size(&self, key: &ObjectKey, _: Timestamp) -> Result<Option<u64>, Unavailable> {
        self.0
            .call(Call::ObjectSize, "", |state| {
                Ok(state.bucket.objects.get(key).map(|bytes| bytes.len() as u64))
            })
            .await
    }

    async fn read(
        &self,
        key: &ObjectKey,
        range: Range<u64>,
        _: Timestamp,
    ) -> Result<Vec<u8>, Unavailable> {
        let about = format!("{}-{}", range.start, range.end);
        self.0
            .call(Call::ReadObject, about, |state| {
                let within =
                    usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
                let bytes = state.bucket.objects.get(key).and_then(|bytes| bytes.get(within));
                bytes.map(<[u8]>::to_vec).ok_or_else(gone)
            })
            .await
    }

    async fn write(
        &self,
        key: &ObjectKey,
        bytes: Vec<u8>,
        _: Timestamp,
    ) -> Result<(), Unavailable> {
        self.0
            .call(Call::WriteObject, "", |state| {
                state.bucket.objects.insert(key.clone(), bytes);
                Ok(())
            })
            .await
    }
}
