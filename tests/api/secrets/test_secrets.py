"""Secrets and their versions through boto3."""

from __future__ import annotations

import re
import uuid

import pytest

NOT_FOUND = ("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
MARKED = (
    "InvalidRequestException",
    "You can't perform this operation on the secret because it was marked for deletion.",
)


@pytest.mark.covers("secretsmanager:CreateSecret", "secretsmanager:GetSecretValue")
def test_a_secret_is_kept_and_told(secrets):
    made = secrets.create_secret(Name="prod/db", SecretString="hunter2")
    arn = made["ARN"]
    assert re.fullmatch(
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-[A-Za-z0-9]{6}", arn
    )
    for name in ("prod/db", arn, arn[:-7]):
        told = secrets.get_secret_value(SecretId=name)
        assert (told["ARN"], told["Name"]) == (arn, "prod/db")
        assert told["SecretString"] == "hunter2"
        assert told["VersionId"] == made["VersionId"]
        assert told["VersionStages"] == ["AWSCURRENT"]
        assert "SecretBinary" not in told


def test_bytes_come_back_as_bytes(secrets):
    secrets.create_secret(Name="key", SecretBinary=b"\x00\xff")
    told = secrets.get_secret_value(SecretId="key")
    assert told["SecretBinary"] == b"\x00\xff"
    assert "SecretString" not in told


def test_no_value_is_plain_on_the_disk(secrets, database):
    secrets.create_secret(Name="a", SecretString="never-to-be-seen")
    secrets.put_secret_value(SecretId="a", SecretString="nor-this-one")
    written = b"".join(each.read_bytes() for each in database.parent.glob("openecs.db*"))
    assert b"secret-version" in written
    assert b"never-to-be-seen" not in written
    assert b"nor-this-one" not in written


@pytest.mark.covers("secretsmanager:PutSecretValue", "secretsmanager:ListSecretVersionIds")
def test_labels_move_as_values_come(secrets):
    first = secrets.create_secret(Name="a", SecretString="1")["VersionId"]
    second = secrets.put_secret_value(SecretId="a", SecretString="2")
    assert second["VersionStages"] == ["AWSCURRENT"]
    third = secrets.put_secret_value(SecretId="a", SecretString="3")["VersionId"]
    values = {
        stage: secrets.get_secret_value(SecretId="a", VersionStage=stage)["SecretString"]
        for stage in ("AWSCURRENT", "AWSPREVIOUS")
    }
    assert values == {"AWSCURRENT": "3", "AWSPREVIOUS": "2"}
    by_id = secrets.get_secret_value(SecretId="a", VersionId=first)
    assert by_id["SecretString"] == "1"
    assert "VersionStages" not in by_id
    listed = secrets.list_secret_version_ids(SecretId="a")["Versions"]
    assert {each["VersionId"] for each in listed} == {second["VersionId"], third}
    whole = secrets.list_secret_version_ids(SecretId="a", IncludeDeprecated=True)["Versions"]
    assert len(whole) == 3


def test_a_token_makes_one_version_however_often_it_comes(secrets, refused):
    token = str(uuid.uuid4())
    asked = {"Name": "a", "SecretString": "1", "ClientRequestToken": token}
    made = secrets.create_secret(**asked)
    assert made["VersionId"] == token
    again = secrets.create_secret(**asked)
    assert again["ARN"] == made["ARN"]
    assert refused(secrets.create_secret, Name="a", SecretString="1") == (
        "ResourceExistsException",
        "The operation failed because the secret a already exists.",
    )
    secrets.put_secret_value(SecretId="a", SecretString="2")
    secrets.put_secret_value(SecretId="a", SecretString="1", ClientRequestToken=token)
    assert secrets.get_secret_value(SecretId="a")["SecretString"] == "2"
    code, message = refused(
        secrets.put_secret_value, SecretId="a", SecretString="other", ClientRequestToken=token
    )
    assert code == "ResourceExistsException"
    assert token in message


@pytest.mark.covers("secretsmanager:UpdateSecretVersionStage")
def test_a_label_is_moved_by_hand(secrets, refused):
    first = secrets.create_secret(Name="a", SecretString="1")["VersionId"]
    second = secrets.put_secret_value(SecretId="a", SecretString="2")["VersionId"]
    code, message = refused(
        secrets.update_secret_version_stage,
        SecretId="a",
        VersionStage="AWSCURRENT",
        MoveToVersionId=first,
    )
    assert code == "InvalidParameterException"
    assert second in message
    secrets.update_secret_version_stage(
        SecretId="a",
        VersionStage="AWSCURRENT",
        MoveToVersionId=first,
        RemoveFromVersionId=second,
    )
    stages = secrets.describe_secret(SecretId="a")["VersionIdsToStages"]
    assert stages == {first: ["AWSCURRENT"], second: ["AWSPREVIOUS"]}
    pending = secrets.put_secret_value(
        SecretId="a", SecretString="3", VersionStages=["AWSPENDING"]
    )["VersionId"]
    assert secrets.get_secret_value(SecretId="a")["SecretString"] == "1"
    secrets.update_secret_version_stage(
        SecretId="a", VersionStage="AWSPENDING", RemoveFromVersionId=pending
    )
    assert pending not in secrets.describe_secret(SecretId="a")["VersionIdsToStages"]


@pytest.mark.covers("secretsmanager:UpdateSecret", "secretsmanager:DescribeSecret")
def test_a_secret_is_changed(secrets, refused):
    made = secrets.create_secret(Name="a", Description="old", Tags=[{"Key": "t", "Value": "1"}])
    assert "VersionId" not in made
    assert refused(secrets.get_secret_value, SecretId="a") == (
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    )
    secrets.update_secret(SecretId="a", Description="new")
    secrets.update_secret(SecretId="a", SecretString="1")
    told = secrets.describe_secret(SecretId="a")
    assert told["Description"] == "new"
    assert told["Tags"] == [{"Key": "t", "Value": "1"}]
    assert list(told["VersionIdsToStages"].values()) == [["AWSCURRENT"]]
    assert refused(secrets.update_secret, SecretId="b", Description="x") == NOT_FOUND
    code, _ = refused(secrets.update_secret, SecretId="a", KmsKeyId="alias/mine")
    assert code == "EncryptionFailure"


@pytest.mark.covers("secretsmanager:DeleteSecret", "secretsmanager:RestoreSecret")
def test_a_deleted_secret_can_be_restored_for_a_while(secrets, refused):
    secrets.create_secret(Name="a", SecretString="1")
    gone = secrets.delete_secret(SecretId="a", RecoveryWindowInDays=7)
    told = secrets.describe_secret(SecretId="a")
    assert told["DeletedDate"] == gone["DeletionDate"]
    assert refused(secrets.get_secret_value, SecretId="a") == MARKED
    assert refused(secrets.put_secret_value, SecretId="a", SecretString="2") == MARKED
    code, message = refused(secrets.create_secret, Name="a", SecretString="2")
    assert code == "InvalidRequestException"
    assert "scheduled for deletion" in message
    assert secrets.list_secrets()["SecretList"] == []
    assert len(secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]) == 1
    secrets.restore_secret(SecretId="a")
    assert secrets.get_secret_value(SecretId="a")["SecretString"] == "1"


def test_a_secret_is_gone_at_once_where_that_is_forced(secrets, refused):
    arn = secrets.create_secret(Name="a", SecretString="1")["ARN"]
    secrets.delete_secret(SecretId="a", ForceDeleteWithoutRecovery=True)
    assert refused(secrets.describe_secret, SecretId="a") == NOT_FOUND
    assert secrets.create_secret(Name="a", SecretString="2")["ARN"] != arn
    assert refused(secrets.get_secret_value, SecretId=arn) == NOT_FOUND
    secrets.delete_secret(SecretId="never", ForceDeleteWithoutRecovery=True)
    both = {"ForceDeleteWithoutRecovery": True, "RecoveryWindowInDays": 7}
    assert refused(secrets.delete_secret, SecretId="a", **both)[0] == "InvalidParameterException"
    code, _ = refused(secrets.delete_secret, SecretId="a", RecoveryWindowInDays=31)
    assert code == "InvalidParameterException"


@pytest.mark.covers("secretsmanager:TagResource", "secretsmanager:UntagResource")
def test_tags_come_and_go(secrets, refused):
    secrets.create_secret(Name="a")
    secrets.tag_resource(SecretId="a", Tags=[{"Key": "x", "Value": "1"}])
    secrets.tag_resource(SecretId="a", Tags=[{"Key": "x", "Value": "2"}, {"Key": "y", "Value": ""}])
    secrets.untag_resource(SecretId="a", TagKeys=["y", "none"])
    assert secrets.describe_secret(SecretId="a")["Tags"] == [{"Key": "x", "Value": "2"}]
    code, _ = refused(secrets.tag_resource, SecretId="a", Tags=[{"Key": "aws:x", "Value": "1"}])
    assert code == "InvalidParameterException"


@pytest.mark.covers("secretsmanager:ListSecrets")
def test_secrets_are_found_by_what_they_are(secrets):
    secrets.create_secret(Name="prod/db", Description="The database")
    secrets.create_secret(Name="prod/api", Tags=[{"Key": "team", "Value": "web"}])
    secrets.create_secret(Name="test/db")

    def names(*filters, **more) -> list[str]:
        given = [{"Key": key, "Values": list(values)} for key, *values in filters]
        found = secrets.list_secrets(Filters=given, SortBy="name", SortOrder="asc", **more)
        return [each["Name"] for each in found["SecretList"]]

    assert names() == ["prod/api", "prod/db", "test/db"]
    assert names(("name", "prod/")) == ["prod/api", "prod/db"]
    assert names(("name", "!prod/")) == ["test/db"]
    assert names(("description", "the data")) == ["prod/db"]
    assert names(("tag-key", "team"), ("tag-value", "web")) == ["prod/api"]
    assert names(("all", "db")) == ["prod/db", "test/db"]
    pages = secrets.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 1})
    assert len({each["Name"] for page in pages for each in page["SecretList"]}) == 3


@pytest.mark.covers("secretsmanager:BatchGetSecretValue")
def test_several_values_at_once(secrets):
    for name in ("a", "b"):
        secrets.create_secret(Name=name, SecretString=name * 2)
    told = secrets.batch_get_secret_value(SecretIdList=["a", "b", "c"])
    assert [each["SecretString"] for each in told["SecretValues"]] == ["aa", "bb"]
    assert [(e["SecretId"], e["ErrorCode"]) for e in told["Errors"]] == [
        ("c", "ResourceNotFoundException")
    ]
    found = secrets.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["b"]}])
    assert [each["Name"] for each in found["SecretValues"]] == ["b"]


@pytest.mark.covers("secretsmanager:GetRandomPassword")
def test_passwords_are_of_what_they_may_be_of(secrets, refused):
    made = secrets.get_random_password()["RandomPassword"]
    assert len(made) == 32
    only = {
        "ExcludePunctuation": True,
        "ExcludeUppercase": True,
        "ExcludeLowercase": True,
        "ExcludeCharacters": "01",
    }
    digits = secrets.get_random_password(PasswordLength=64, **only)["RandomPassword"]
    assert re.fullmatch("[2-9]{64}", digits)
    assert made != secrets.get_random_password()["RandomPassword"]
    nothing = only | {"ExcludeNumbers": True}
    assert refused(secrets.get_random_password, **nothing)[0] == "InvalidParameterException"
    assert refused(secrets.get_random_password, PasswordLength=3)[0] == "InvalidParameterException"


def test_what_cannot_be_meant(secrets, refused):
    both = {"SecretString": "a", "SecretBinary": b"b"}
    assert refused(secrets.create_secret, Name="a", **both)[0] == "InvalidParameterException"
    assert refused(secrets.create_secret, Name="no good")[0] == "ValidationException"
    assert refused(secrets.get_secret_value, SecretId="a") == NOT_FOUND
    secrets.create_secret(Name="a", SecretString="1")
    assert refused(secrets.put_secret_value, SecretId="a")[0] == "InvalidRequestException"
    code, message = refused(secrets.rotate_secret, SecretId="a")
    assert code == "NotImplementedException"
    assert "RotateSecret" in message
