//! The bucket of large mail on S3.

use email_connectors::adapters::https;
use email_connectors::adapters::s3::S3;
use reqwest::Client;
use tests::contract::objects::{Holder, objects_contract};

use crate::aws;

struct Browser(Client);

impl Holder for Browser {
    async fn put(&self, url: &str, headers: &[(&'static str, String)], bytes: Vec<u8>) -> u16 {
        let others = headers.iter().filter(|(name, _)| *name != "content-length");
        let request =
            others.fold(self.0.put(url), |request, (name, value)| request.header(*name, value));
        request.body(bytes).send().await.unwrap().status().as_u16()
    }

    async fn get(&self, url: &str) -> (u16, Vec<u8>, String) {
        let response = self.0.get(url).send().await.unwrap();
        let status = response.status().as_u16();
        let disposition = response.headers().get("content-disposition");
        let disposition = disposition.map(|value| value.to_str().unwrap().to_string());
        (status, response.bytes().await.unwrap().to_vec(), disposition.unwrap_or_default())
    }
}

#[tokio::test]
async fn the_bucket_keeps_the_contract() {
    let (config, http) = (aws::config().await, https::client().unwrap());
    let bucket = aws::unique("mail");
    let endpoint = config.endpoint_url().unwrap().trim_end_matches('/').to_string();
    let made = http.put(format!("{endpoint}/{bucket}")).body("").send().await.unwrap();
    assert!(made.status().is_success(), "{made:?}");
    let s3 = S3::new(&config, http.clone(), &bucket);
    objects_contract(&s3, &Browser(http), "s3", aws::now()).await;
}
