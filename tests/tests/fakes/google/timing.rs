//! The latency of every request, and its recorded times.

use fake_google::Latency;

use super::client::Client;

#[tokio::test]
async fn from_a_latency_on_each_request_is_noted_in_its_order_until_it_is_cleared() {
    let client = Client::start().await;
    client.get("profile").await;
    assert!(client.google.admin.timings().is_empty(), "times are not recorded yet");
    client.google.admin.set_latency(Latency { ms: 1 });
    for path in ["profile", "labels"] {
        assert_eq!(client.get(path).await.0, 200);
    }
    client.http.get(format!("{}/admin/timings", client.google.url)).send().await.unwrap();
    let timings = client.google.admin.timings();
    let paths: Vec<&str> = timings.iter().map(|timing| timing.path.as_str()).collect();
    assert_eq!(
        paths,
        ["/gmail/v1/users/me/profile", "/gmail/v1/users/me/labels"],
        "the admin side neither waits nor counts"
    );
    assert!(timings.iter().all(|timing| timing.began < timing.answered), "each waited");
    client.google.admin.clear_calls();
    assert!(client.google.admin.timings().is_empty());
}
