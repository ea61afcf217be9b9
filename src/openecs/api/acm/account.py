"""GetAccountConfiguration and PutAccountConfiguration: when there is word of what runs out."""

from __future__ import annotations

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.model.certificates import CertificateAccount
from openecs.store.base import Transaction, View
from openecs.store.kinds import CERTIFICATE_ACCOUNTS


def get_account_configuration(view: View, call: Call, _: Members) -> Members:
    """Days before the end of a certificate; 45 unless set."""
    return {"ExpiryEvents": {"DaysBeforeExpiry": _account(view, call).days_before_expiry}}


def put_account_configuration(tx: Transaction, call: Call, request: Members) -> Members:
    """Set them. The same token twice sets the same twice, so it needs no memory."""
    days = (request.get("ExpiryEvents") or {}).get("DaysBeforeExpiry")
    if days is not None:
        account = CertificateAccount(scope=call.scope, days_before_expiry=days)
        tx.put(CERTIFICATE_ACCOUNTS, account)
    return {}


OPERATIONS: dict[str, Operation] = {
    "GetAccountConfiguration": Reads(get_account_configuration),
    "PutAccountConfiguration": Writes(put_account_configuration),
}


def _account(view: View, call: Call) -> CertificateAccount:
    return view.get(CERTIFICATE_ACCOUNTS, call.scope, "") or CertificateAccount(scope=call.scope)
