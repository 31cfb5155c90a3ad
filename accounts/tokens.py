"""Secrets that are shown once and kept as a digest."""

import hashlib
import secrets


def new_secret(prefix: str) -> str:
    """A random secret of 256 bits; the prefix says what it is when it turns up in a log or a repository."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def digest(secret: str) -> str:
    """What is stored. A plain SHA-256 is enough: the secret itself is random and long."""
    return hashlib.sha256(secret.encode()).hexdigest()
