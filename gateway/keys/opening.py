"""Find the master keys: in the environment, or in the file beside the embedded database."""

from __future__ import annotations

from gateway.keys.model import Keys
from gateway.keys.own_file import load_own_keys
from gateway.settings import InvalidSetting, Settings


def load_keys(settings: Settings) -> Keys:
    """Return the keys of the configured gateway.

    Raises:
        InvalidSetting: the database is not our own and no key is set, or our own file of keys holds something else.
    """
    if settings.secret_keys:
        return Keys(settings.secret_keys)
    if settings.database_url is not None:
        # A file of this machine would not do: gateways that share a database share its keys.
        raise InvalidSetting(
            "SECRET_KEYS",
            "must be set where DATABASE_URL is: 64 hexadecimal digits, such as `openssl rand -hex 32` prints",
        )
    try:
        return Keys(load_own_keys(settings.data_dir))
    except OSError as error:
        raise InvalidSetting(
            "DATA_DIR", f"cannot be used for the file of keys: {error.strerror or error}"
        ) from error
