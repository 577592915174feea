"""Finds planted secrets in bytes, in whatever form they came to lie there."""

import base64
import re

CANARY = b"canary-"


def in_base64(secret: bytes) -> set[bytes]:
    """What every base64 text over the secret holds of it: one form for each place that it may have within three bytes."""
    forms = set()
    for before in range(3):
        # The first and the last character may hold bits of a neighbour.
        first, last = -(-8 * before // 6), 8 * (before + len(secret)) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(bytes(before) + secret + bytes(3))[first:last])
    return forms


def in_percent(secret: bytes) -> bytes:
    """A pattern for the secret with any of its bytes percent-encoded, and those escapes encoded once more."""
    return b"".join(b"(?:%s|%%(?:25)?%02x)" % (re.escape(bytes([byte])), byte) for byte in secret)


def in_escapes(secret: bytes) -> bytes:
    """A pattern for the secret in a JSON string, where any character may be an escape. Of many backslashes the last ones count:
    a pattern for any number of them takes the square of their number, and mails hold megabytes of them."""
    return b"".join(b"(?:%s|\\\\{1,8}u00%02x)" % (re.escape(bytes([byte])), byte) for byte in secret)


def as_numbers(secret: bytes) -> bytes:
    """A pattern for bytes printed as a list of numbers."""
    return rb",\s*".join(b"%d" % byte for byte in secret)


# Base64 tells letters apart, the others do not.
EXACT = re.compile(b"|".join(sorted(map(re.escape, in_base64(CANARY)))))
LOOSE = re.compile(b"|".join([in_percent(CANARY), in_escapes(CANARY), CANARY.hex().encode(), as_numbers(CANARY)]), re.IGNORECASE)


def count(data: bytes) -> int:
    """How many canaries lie in it."""
    return len(EXACT.findall(data)) + len(LOOSE.findall(data))


def check() -> None:
    """Plants a canary in each form and wants it found; raises if a form is missed, or if nothing at all is found something."""
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
