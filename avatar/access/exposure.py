"""Whether others than this machine can reach the server, and whether that is meant."""

import ssl

from avatar.access.addresses import is_loopback
from avatar.access.keys import KeyRing
from avatar.settings import ServerSettings, Settings
from speech.errors import ConfigError


def is_local(settings: Settings) -> bool:
    """Whether only this machine can call: by address, and by the names that a proxy uses."""
    return is_loopback(settings.server.host) and all(map(is_loopback, settings.access.hosts))


def check_exposure(settings: Settings) -> None:
    """Refuse to be reachable by others without access control, unless that is said to be meant.

    Raises:
        ConfigError: It is not; or the file of keys can't be used.
    """
    access = settings.access
    keys = KeyRing(access.keys_path, [key.get_secret_value() for key in access.keys])
    if is_local(settings) or access.open or keys.demanded:
        return
    where = settings.server.host
    if is_loopback(where):
        where = ", ".join(host for host in access.hosts if not is_loopback(host))
    raise ConfigError(
        f"Serving {where} would let anyone who reaches it call, since there are no keys. "
        "Make one: presencia keys new NAME. Or, if everybody may call, say so: access.open = true "
        "(PRESENCIA_ACCESS__OPEN=true). Put TLS in front, too: browsers give pages the microphone "
        "only on https or localhost (docs/access.md)."
    )


def check_certificate(server: ServerSettings) -> None:
    """Find out before the models are loaded that https can't be served.

    Raises:
        ConfigError: There is no certificate for the key, or they can't be used.
    """
    if server.tls_certificate is None:
        if server.tls_key is not None:
            raise ConfigError("server.tls_key needs server.tls_certificate, the key's certificate.")
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.tls_certificate, server.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"Can't serve https with {server.tls_certificate}: {error.strerror or error}. It is a "
            "PEM file that this user can read, and server.tls_key the key that belongs to it."
        ) from error
