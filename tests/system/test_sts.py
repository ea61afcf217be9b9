"""STS, whose query protocol every client speaks."""

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.system


@pytest.mark.covers("sts:GetCallerIdentity", "sts:GetAccessKeyInfo")
def test_who_is_calling(server):
    sts = server.client("sts")
    identity = sts.get_caller_identity()
    assert identity["Arn"] == "arn:aws:iam::000000000000:root"
    assert (identity["Account"], identity["UserId"]) == ("000000000000", "000000000000")
    key = server.client_environment["AWS_ACCESS_KEY_ID"]
    assert sts.get_access_key_info(AccessKeyId=key)["Account"] == "000000000000"
    with pytest.raises(ClientError, match="ValidationError"):
        sts.get_access_key_info(AccessKeyId="AKIANOBODYKNOWSTHISK")
