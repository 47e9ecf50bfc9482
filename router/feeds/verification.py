"""Whether a list is the one that its keeper published (REQUIREMENTS X2: signed or checksummed)."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from router.feeds.source import FeedError

_DIGEST: Final = re.compile(rb"\s*\\?([0-9a-fA-F]{64})\b")  # as sha256sum writes it, and what it adds is ignored


def verify_sha256(data: bytes, published: bytes) -> None:
    """Compare with a SHA-256.

    Args:
        published: begins with 64 hexadecimal digits.

    Raises:
        FeedError: the data are others, or nothing was published.
    """
    found = _DIGEST.match(published)
    if found is None:
        raise FeedError("what should be its SHA-256 does not begin with 64 hexadecimal digits")
    if not hmac.compare_digest(hashlib.sha256(data).hexdigest().encode(), found[1].lower()):
        raise FeedError("its SHA-256 is another one than was published")


def verify_signature(data: bytes, signature: bytes, signed_by: bytes) -> None:
    """Check an Ed25519 signature (RFC 8032 §5.1.7).

    Args:
        signature: in base64.
        signed_by: the public key, 32 bytes.

    Raises:
        FeedError: the signature is not good.
    """
    try:
        Ed25519PublicKey.from_public_bytes(signed_by).verify(b64decode(signature.strip(), validate=True), data)
    except (InvalidSignature, ValueError) as error:
        raise FeedError("its signature is not that of its keeper") from error
