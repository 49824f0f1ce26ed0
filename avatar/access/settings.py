"""The settings section `[access]`: docs/access.md explains it."""

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

SHORTEST_KEY = 24  # characters; 24 random ones of 62 are 142 bits


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or value != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("an origin is a scheme and a host, as 'https://shop.example'; no path")
    if "*" in value or "@" in value or not parts.hostname:
        raise ValueError("an origin is exact: name each one, without '*'")
    return value.lower()


def _host(value: str) -> str:
    if not value or any(character in value for character in "/*:@ "):
        raise ValueError("a host is a bare name, as 'avatar.example': no port, path or '*'")
    return value.lower()


def _network(value: str) -> str:
    return str(ipaddress.ip_network(value))


def _key(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SHORTEST_KEY:
        raise ValueError(f"a key has at least {SHORTEST_KEY} random characters")
    return value


class AccessSettings(BaseModel):
    """Who may call, from where, how often and for how long."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    open: bool = Field(False, description="let anyone who reaches the server call, without a key")
    keys_file: Path = Field(
        Path("~/.config/presencia/keys.json"), description="written by `presencia keys`"
    )
    keys: list[Annotated[SecretStr, AfterValidator(_key)]] = Field(
        [], description="more keys, for containers; better as PRESENCIA_ACCESS__KEYS"
    )
    origins: list[Annotated[str, AfterValidator(_origin)]] = Field(
        [], description="pages elsewhere that may call or frame ours, as 'https://shop.example'"
    )
    hosts: list[Annotated[str, AfterValidator(_host)]] = Field(
        [], description="names under which a proxy serves us, as 'avatar.example'"
    )
    trusted_proxies: list[Annotated[str, AfterValidator(_network)]] = Field(
        [], description="addresses or networks whose X-Forwarded-For is believed"
    )
    client_secrets: int = Field(1000, ge=1, description="at most so many are valid at once")
    calls_per_minute: int = Field(60, ge=1, description="begun by one key or one address")
    calls_per_caller: int = Field(0, ge=0, description="at once, of a key or address; 0: no limit")
    max_call_s: float = Field(0, ge=0, description="the avatar says goodbye before; 0: no limit")
    queue: int = Field(100, ge=0, description="longest line for a place; 0: nobody waits")
    queue_per_caller: int = Field(25, ge=0, description="of them, of a key or address; 0: no limit")
    resume_s: float = Field(120, ge=0, description="a lost call can be gone on with; 0: never")

    @property
    def keys_path(self) -> Path:
        """`keys_file`, with `~` resolved."""
        return self.keys_file.expanduser()
