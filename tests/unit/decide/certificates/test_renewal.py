"""When certificates are renewed, and when there is word of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.decide.certificates import renewal
from openecs.model.certificates import CertificateType
from openecs.testing.builders import NOW, a_certificate

DAY = timedelta(days=1)
IMPORTED = CertificateType.IMPORTED


@pytest.mark.parametrize(
    ("before_end", "in_use", "exported", "due"),
    [
        (61 * DAY, True, False, False),
        (60 * DAY, True, False, True),
        (60 * DAY, False, False, False),
        (60 * DAY, False, True, True),
        (-5 * DAY, True, False, True),
    ],
)
def test_what_is_in_use_or_exported_is_renewed_60_days_before_its_end(
    before_end, in_use, exported, due
):
    certificate = a_certificate(exported=exported)
    now = certificate.facts.not_after - before_end
    assert renewal.is_due(certificate, in_use=in_use, now=now) is due
    assert not renewal.is_due(replace(certificate, type=IMPORTED), in_use=True, now=now)


@pytest.mark.parametrize(
    ("type_", "in_use", "before_end", "told"),
    [
        (IMPORTED, True, 10 * DAY, True),
        (IMPORTED, True, 11 * DAY, False),
        (IMPORTED, False, 10 * DAY, False),
        (CertificateType.AMAZON_ISSUED, True, 10 * DAY, False),
    ],
)
def test_there_is_word_of_what_nobody_renews(type_, in_use, before_end, told):
    certificate = a_certificate(type=type_)
    now = certificate.facts.not_after - before_end
    assert renewal.runs_out(certificate, in_use=in_use, days=10, now=now) is told


def test_status_is_a_matter_of_time():
    certificate = a_certificate()
    end = certificate.facts.not_after
    assert renewal.status(certificate, end) == "ISSUED"
    assert renewal.status(certificate, end + DAY) == "EXPIRED"


def test_a_renewed_one_is_the_same_certificate():
    before = a_certificate()
    facts = replace(before.facts, not_after=NOW + 800 * DAY)
    after = renewal.renewed(before, replace(before.key_pair, certificate="new"), facts, NOW)
    assert (after.arn, after.tags, after.issued_at) == (before.arn, before.tags, before.issued_at)
    assert (after.facts, after.renewed_at, after.key_pair.certificate) == (facts, NOW, "new")
