//! What a frontend is told before it shows anything: who its user is, what that user may do, and
//! what can be connected.

use std::collections::BTreeSet;

use axum::http::Method;
use connectors_api::openapi::description;
use serde_json::{Value, json};
use tests::stage::Stage;

use super::api::{call_api, call_api_as};

#[tokio::test]
async fn each_role_is_told_what_it_may_do_and_of_no_more() {
    let stage = Stage::new();
    let table = [
        ("viewer", "viewer", json!(["see"])),
        ("operator", "operator", json!(["see", "connect", "operate", "fire", "read_mail"])),
        (
            "admin",
            "admin",
            json!([
                "see",
                "connect",
                "operate",
                "fire",
                "read_mail",
                "write_mail",
                "delete",
                "export",
                "erase"
            ]),
        ),
        // An unknown role is the lowest.
        ("root", "viewer", json!(["see"])),
    ];
    for (claimed, role, may) in table {
        let me = call_api_as(&stage, "owner", claimed, Method::GET, "/api/me", None).await;
        assert_eq!(
            me.expect(200),
            json!({"owner_id": "owner", "role": role, "may": may}),
            "{claimed}"
        );
    }
}

#[tokio::test]
async fn a_provider_is_told_with_the_routes_that_connect_it() {
    let stage = Stage::new();
    let info = call_api(&stage, "owner", Method::GET, "/api/system/info", None).await.expect(200);
    let providers = info["providers"].as_array().unwrap();
    assert!(!providers.is_empty());
    let ids: BTreeSet<&str> =
        providers.iter().map(|provider| provider["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), providers.len(), "each once: {info}");
    let described: Value = serde_json::to_value(description()).unwrap();
    for provider in providers {
        for (name, method) in [("start", "get"), ("connect", "post")] {
            let path = provider[name].as_str().unwrap();
            assert!(described["paths"][path][method].is_object(), "{method} {path} is no route");
        }
        if let Some(path) = provider.get("admin_consent") {
            let path = path.as_str().unwrap();
            assert!(described["paths"][path]["get"].is_object(), "{path} is no route");
        }
        let kinds = info["connector_types"].as_array().unwrap();
        assert!(kinds.contains(&provider["type"]), "{provider}");
        assert!(!provider["name"].as_str().unwrap().is_empty());
    }
}
