//! Files that go round Lambda's bound: a URL to put one, the files of a mail that goes out, and a URL
//! to fetch what a mail has.

use std::ops::Range;

use futures_util::future::try_join_all;
use uuid::Uuid;

use super::OperateError;
use crate::domain::connector::Connector;
use crate::domain::download::{BYTES, disposition, media_type};
use crate::domain::invalid::Invalid;
use crate::domain::operation::answer::{AttachmentBytes, AttachmentLink, MailAnswer, Upload};
use crate::domain::operation::request::MailRequest;
use crate::domain::timestamp::Timestamp;
use crate::domain::upload::{ObjectKey, UploadId, UploadSpec};
use crate::ports::{Objects, Shown, Unavailable, Uploaded};

/// The bucket, and an id for what is put there by this request.
#[derive(Debug)]
pub struct Bucket<'a, O> {
    pub objects: &'a O,
    pub fresh: Uuid,
}

/// A connector's files in the bucket.
pub struct Files<'a, O> {
    bucket: Bucket<'a, O>,
    connector: &'a Connector,
    now: Timestamp,
}

impl<'a, O: Objects> Files<'a, O> {
    pub fn new(bucket: Bucket<'a, O>, connector: &'a Connector, now: Timestamp) -> Self {
        Self { bucket, connector, now }
    }

    pub async fn upload(&self, spec: &UploadSpec) -> Result<Upload, OperateError> {
        let upload_id = UploadId(self.bucket.fresh);
        let signed = self.bucket.objects.put_url(&self.key(upload_id), spec, self.now).await?;
        Ok(Upload {
            upload_id,
            method: "PUT",
            url: signed.url,
            headers: signed.headers.into_iter().collect(),
            expires_at: signed.expires_at,
        })
    }

    /// Looks up the sizes of the files that a mail goes out with.
    pub async fn measure(&self, request: &mut MailRequest) -> Result<(), OperateError> {
        let Some(mail) = request.mail() else { return Ok(()) };
        let measured = mail.attachments.iter().map(async |attachment| match attachment.upload_id {
            Some(id) => self.bucket.objects.size(&self.key(id), self.now).await,
            None => Ok(Some(0)),
        });
        let sizes = try_join_all(measured).await?;
        for (at, (attachment, size)) in mail.attachments.iter_mut().zip(sizes).enumerate() {
            attachment.uploaded_size = size.ok_or_else(|| {
                Invalid::new(
                    format!("attachments[{at}].upload_id"),
                    "names no file of this connector: it was never put, or more than a day ago. Upload it again (`POST …/uploads`, then `PUT`)",
                )
            })?;
        }
        Ok(())
    }

    /// Puts what was taken out of a mail where it can be fetched.
    pub async fn link(&self, answer: MailAnswer) -> Result<MailAnswer, OperateError> {
        let MailAnswer::Bytes(AttachmentBytes { attachment, bytes: Some(bytes) }) = answer else {
            return Ok(answer);
        };
        let Connector { owner_id, id, .. } = self.connector;
        let key = ObjectKey::of_download(owner_id, id, self.bucket.fresh);
        let size = bytes.len() as u64;
        let shown =
            Shown { disposition: disposition(&attachment.filename), mime_type: BYTES.into() };
        self.bucket.objects.write(&key, bytes, self.now).await?;
        let signed = self.bucket.objects.get_url(&key, &shown, self.now).await?;
        Ok(MailAnswer::Link(AttachmentLink {
            url: signed.url,
            expires_at: signed.expires_at,
            size,
            mime_type: media_type(&attachment.mime_type).into(),
            filename: attachment.filename,
        }))
    }

    fn key(&self, id: UploadId) -> ObjectKey {
        ObjectKey::of_upload(&self.connector.owner_id, &self.connector.id, id)
    }
}

impl<O: Objects> Uploaded for Files<'_, O> {
    async fn read(&self, id: UploadId, range: Range<u64>) -> Result<Vec<u8>, Unavailable> {
        self.bucket.objects.read(&self.key(id), range, self.now).await
    }
}
