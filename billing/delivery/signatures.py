"""Signatures of Amazon SNS: RSA over SHA-1 in version 1, over SHA-256 in version 2."""

from collections.abc import Mapping
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# SHA-1 is what SNS signs with unless a topic is set to version 2; forging such a signature would take a second preimage.
_HASHES: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {"1": hashes.SHA1, "2": hashes.SHA256}


def fits(*, signature: bytes, signed: bytes, certificate: bytes, version: str) -> bool:
    """
    Say whether the owner of a certificate (PEM) signed the bytes. Trusting the certificate is the caller's business.

    :raises ValueError: if the certificate cannot be read, or has no RSA key, or there is no such version
    """
    key = x509.load_pem_x509_certificate(certificate).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("the certificate has no RSA key")
    if version not in _HASHES:
        raise ValueError(f"SNS has no signatures of version {version!r}")
    try:
        key.verify(signature, signed, padding.PKCS1v15(), _HASHES[version]())
    except InvalidSignature:
        return False
    return True
