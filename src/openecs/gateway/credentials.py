"""Access keys as the gateway needs them, and where it asks for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from openecs.model.iam import Session, UserKey
from openecs.store.base import Store, View
from openecs.store.iam import SESSIONS, USER_KEYS, USERS, name_key


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """An access key and the principal it speaks for.

    ``session_token`` is given for temporary keys, which requests must carry; ``expires`` is when
    they end (None: never).
    """

    access_key_id: str
    secret: str
    account: str
    arn: str
    user_id: str
    session_token: str | None = None
    active: bool = True
    expires: datetime | None = None


class Credentials(Protocol):
    """The access keys of the installation."""

    async def find(self, access_key_id: str) -> AccessKey | None:
        """The key of that id, active or not, or None."""
        ...


class StoredCredentials:
    """The root keys, the keys of users, and those of sessions."""

    def __init__(self, root: Credentials, store: Store) -> None:
        self._root = root
        self._store = store

    async def find(self, access_key_id: str) -> AccessKey | None:
        """The key of that id, active or not, or None."""
        if key := await self._root.find(access_key_id):
            return key
        return await self._store.read(lambda view: _stored(view, access_key_id))


def _stored(view: View, access_key_id: str) -> AccessKey | None:
    keys = view.find(USER_KEYS, None, "id", (access_key_id,))
    if keys:
        return _of_user(view, keys[0])
    sessions = view.find(SESSIONS, None, "id", (access_key_id,))
    return _of_session(sessions[0]) if sessions else None


def _of_user(view: View, key: UserKey) -> AccessKey | None:
    user = view.get(USERS, key.scope, name_key(key.user))
    if user is None:
        return None
    return AccessKey(
        access_key_id=key.id,
        secret=key.secret,
        account=key.scope.account,
        arn=user.arn,
        user_id=user.id,
        active=key.active,
    )


def _of_session(session: Session) -> AccessKey:
    return AccessKey(
        access_key_id=session.id,
        secret=session.secret,
        account=session.scope.account,
        arn=session.arn,
        user_id=session.user_id,
        session_token=session.token,
        expires=session.expires_at,
    )
