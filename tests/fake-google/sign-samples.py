#!/usr/bin/env python3
"""Signs the tokens of events/*.json with two new RSA keys, publishes their public halves in sample-keys.json, and forgets the keys."""

import base64
import hashlib
import json
import pathlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HERE = pathlib.Path(__file__).resolve().parent
EVENTS = HERE.parent.parent / "events"

ISSUED_AT = 1767225600  # 2026-01-01
EXPIRES_AT = 4102358400  # 2099-12-31

USER = {
    "iss": "https://login.example.com",
    "aud": "email-connectors",
    "sub": "sample-owner",
}
PUSH = {
    "iss": "https://accounts.google.com",
    "aud": "https://connectors.example.com/pubsub",
    "azp": "1234567890",
    "sub": "1234567890",
    "email": "gmail-push@example-project.iam.gserviceaccount.com",
    "email_verified": True,
}

SECURITY_EVENT = {
    "iss": "https://accounts.google.com/",
    "aud": "local-client.apps.googleusercontent.com",
    "jti": "sample-event",
    "events": {"https://schemas.openid.net/secevent/risc/event-type/verification": {"state": "sample"}},
}

SIGNED = {
    "connectors-api.export-data": ("users", USER),
    "connectors-api.create-trigger-legacy-type": ("users", USER),
    "connectors-api.firings-wrong-page": ("users", USER),
    "connectors-api.get-unknown-connector": ("users", USER),
    "connectors-api.label-too-long": ("users", USER),
    "connectors-api.list-connectors": ("users", USER),
    "connectors-api.list-messages-unknown-connector": ("users", USER),
    "connectors-api.list-triggers": ("users", USER),
    "connectors-api.list-triggers-page": ("users", USER),
    "connectors-api.me": ("users", USER),
    "connectors-api.rehearse-unknown-trigger": ("users", USER),
    "connectors-api.send-message-wrong-address": ("users", USER),
    "connectors-api.sync-unknown-connector": ("users", USER),
    "oauth-connect.connect-session": ("users", USER),
    "oauth-connect.outlook-admin-consent": ("users", USER),
    "oauth-connect.outlook-start": ("users", USER),
    "oauth-connect.popup": ("users", USER),
    "oauth-connect.start": ("users", USER),
    "pubsub-webhook.malformed": ("google", PUSH),
    "pubsub-webhook.push": ("google", PUSH),
    "pubsub-webhook.wrong-audience": ("google", PUSH | {"aud": "https://elsewhere.example.com/pubsub"}),
}

# A security event token is the body itself, and never ends.
BODIES = {"oauth-connect.security-event": ("google", SECURITY_EVENT)}


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned_bytes(number):
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def public_jwk(key):
    numbers = key.public_key().public_numbers()
    modulus = unsigned_bytes(numbers.n)
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": "sample-" + hashlib.sha256(modulus).hexdigest()[:16],
        "n": base64url(modulus),
        "e": base64url(unsigned_bytes(numbers.e)),
    }


def signed_token(key, kid, claims):
    header = {"alg": "RS256", "kid": kid, "typ": "JWT"}
    claims = {"iat": ISSUED_AT} | claims
    signing_input = ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    signature = key.sign(signing_input.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signing_input}.{base64url(signature)}"


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    keys = {name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in ("google", "users")}
    jwks = {name: public_jwk(key) for name, key in keys.items()}
    write_json(HERE / "sample-keys.json", jwks)
    unsigned = {path.stem for path in EVENTS.glob("*.json")}
    for stem, (issuer, claims) in SIGNED.items():
        path = EVENTS / f"{stem}.json"
        event = json.loads(path.read_text(encoding="utf-8"))
        event["headers"]["authorization"] = "Bearer " + signed_token(keys[issuer], jwks[issuer]["kid"], claims | {"exp": EXPIRES_AT})
        write_json(path, event)
        unsigned.discard(stem)
    for stem, (issuer, claims) in BODIES.items():
        path = EVENTS / f"{stem}.json"
        event = json.loads(path.read_text(encoding="utf-8"))
        event["body"] = signed_token(keys[issuer], jwks[issuer]["kid"], claims)
        write_json(path, event)
    for stem in sorted(unsigned):
        if "authorization" in json.loads((EVENTS / f"{stem}.json").read_text(encoding="utf-8")).get("headers", {}):
            raise SystemExit(f"{stem}.json carries a token that no entry of SIGNED renews")


if __name__ == "__main__":
    main()
