"""Finds planted secrets in bytes, in any of several encodings."""

import base64
import re

CANARY = b"canary-"


def in_base64(secret: bytes) -> set[bytes]:
    """The part of any base64 text that depends only on the secret: one form for each alignment to three bytes."""
    forms = set()
    for before in range(3):
        # Characters that contain bits of neighbouring bytes are left out.
        first, last = -(-8 * before // 6), 8 * (before + len(secret)) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(bytes(before) + secret + bytes(3))[first:last])
    return forms


def in_percent(secret: bytes) -> bytes:
    """A pattern for the secret with any of its bytes percent-encoded, and those escapes encoded once more."""
    return b"".join(b"(?:%s|%%(?:25)?%02x)" % (re.escape(bytes([byte])), byte) for byte in secret)


def in_escapes(secret: bytes) -> bytes:
    """A pattern for the secret in a JSON string, where any character may be an escape. Only the last backslashes are
    matched: an unbounded pattern takes quadratic time, and mails contain megabytes of backslashes."""
    return b"".join(b"(?:%s|\\\\{1,8}u00%02x)" % (re.escape(bytes([byte])), byte) for byte in secret)


def as_numbers(secret: bytes) -> bytes:
    """A pattern for bytes printed as a list of numbers."""
    return rb",\s*".join(b"%d" % byte for byte in secret)


# Base64 is case-sensitive, the other encodings are not.
EXACT = re.compile(b"|".join(sorted(map(re.escape, in_base64(CANARY)))))
LOOSE = re.compile(b"|".join([in_percent(CANARY), in_escapes(CANARY), CANARY.hex().encode(), as_numbers(CANARY)]), re.IGNORECASE)


def count(data: bytes) -> int:
    """How many canaries the bytes contain."""
    return len(EXACT.findall(data)) + len(LOOSE.findall(data))


def check() -> None:
    """Checks the search: raises if a canary in any encoding is missed, or if one is found where there is none."""
    secret = b"1//0canary-Zx81"
    forms = {
        "in the clear": secret,
        "in capitals": secret.upper(),
        "percent-encoded": secret.replace(b"-", b"%2D"),
        "percent-encoded to the last byte": b"".join(b"%%%02x" % byte for byte in secret),
        "percent-encoded twice": secret.replace(b"c", b"%2563"),
        "in a JSON string": secret.replace(b"-", b"\\u002d"),
        "in hexadecimal": secret.hex().encode(),
        "as a list of numbers": str(list(secret)).encode(),
    }
    for before in range(3):
        padded = b"x" * before + secret
        forms[f"in base64 after {before} bytes"] = base64.b64encode(padded)
        forms[f"in base64url after {before} bytes"] = base64.urlsafe_b64encode(padded).rstrip(b"=")
    missed = [form for form, text in forms.items() if count(b"{" + text + b"}") == 0]
    if missed:
        raise AssertionError(f"a canary is not found {', '.join(missed)}")
    if count(b'{"harmless": "a canary bird, ' + base64.b64encode(bytes(range(256)) * 64) + b'"}'):
        raise AssertionError("a canary is found where there is none")
