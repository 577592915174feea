//! The contract of the `Objects` trait: the same suite runs in memory and on S3.

use std::time::Duration;

use email_connectors::domain::id::{ConnectorId, OwnerId};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::upload::{ObjectKey, UploadId, UploadSpec};
use email_connectors::ports::{Objects, Shown};
use uuid::Uuid;

/// Whoever has a URL, and is no function of ours.
#[expect(async_fn_in_trait, reason = "a test waits for it where it is")]
pub trait Holder {
    /// The status of a PUT.
    async fn put(&self, url: &str, headers: &[(&'static str, String)], bytes: Vec<u8>) -> u16;
    /// The status, the bytes and the disposition of a GET.
    async fn get(&self, url: &str) -> (u16, Vec<u8>, String);
}

pub async fn objects_contract(
    objects: &impl Objects,
    holder: &impl Holder,
    tag: &str,
    now: Timestamp,
) {
    let key = |id: u128| {
        ObjectKey::of_upload(
            &OwnerId::new(tag),
            &ConnectorId::new("con_1"),
            UploadId(Uuid::from_u128(id)),
        )
    };
    let shown = Shown {
        disposition: "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf".into(),
        mime_type: "application/octet-stream".into(),
    };
    let bytes: Vec<u8> = (0..1000_u32).map(|at| (at % 251) as u8).collect();
    let spec = UploadSpec { size: 1000, sha256: None };

    // What was never put is not there.
    assert_eq!(objects.size(&key(1), now).await.unwrap(), None);
    assert!(objects.read(&key(1), 0..1, now).await.is_err());
    let nothing = objects.get_url(&key(1), &shown, now).await.unwrap();
    assert_ne!(holder.get(&nothing.url).await.0, 200);

    // Exactly what was announced can be put.
    let put = objects.put_url(&key(2), &spec, now).await.unwrap();
    for size in [0, 999, 1001] {
        let headers = [("content-length", size.to_string())];
        let status = holder.put(&put.url, &headers, vec![7; size]).await;
        assert!((400..500).contains(&status), "{size} bytes: {status}");
    }
    assert_eq!(objects.size(&key(2), now).await.unwrap(), None);
    assert_eq!(holder.put(&put.url, &put.headers, bytes.clone()).await, 200);
    assert_eq!(objects.size(&key(2), now).await.unwrap(), Some(1000));

    // A URL is of one object and one method.
    let elsewhere = put.url.replace(&format!("{:032x}", 2), &format!("{:032x}", 3));
    assert_ne!(elsewhere, put.url);
    assert_eq!(holder.put(&elsewhere, &put.headers, bytes.clone()).await, 403);
    assert_eq!(holder.get(&put.url).await.0, 403);

    // It is read in ranges, and no further than it goes.
    assert_eq!(objects.read(&key(2), 0..1000, now).await.unwrap(), bytes);
    assert_eq!(objects.read(&key(2), 57..114, now).await.unwrap(), bytes[57..114]);
    assert!(objects.read(&key(2), 990..1001, now).await.is_err());

    // It is downloaded as a file, however it is called.
    let get = objects.get_url(&key(2), &shown, now).await.unwrap();
    assert_eq!(holder.get(&get.url).await, (200, bytes.clone(), shown.disposition.clone()));
    let inline = get.url.replace("attachment", "inline");
    if inline != get.url {
        assert_eq!(holder.get(&inline).await.0, 403);
    }

    // What is written is there.
    objects.write(&key(4), bytes.clone(), now).await.unwrap();
    assert_eq!(objects.size(&key(4), now).await.unwrap(), Some(1000));

    // After a quarter of an hour a URL is good for nothing.
    let before = Timestamp::from_millis(now.millis() - 901_000);
    let late = objects.put_url(&key(5), &spec, before).await.unwrap();
    assert_eq!(late.expires_at, before.after(Duration::from_secs(900)));
    assert_eq!(holder.put(&late.url, &late.headers, bytes).await, 403);
    let late = objects.get_url(&key(4), &shown, before).await.unwrap();
    assert_eq!(holder.get(&late.url).await.0, 403);
}
