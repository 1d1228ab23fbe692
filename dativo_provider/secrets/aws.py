"""AWS Secrets Manager. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeVar

from pydantic import Field

from dativo_provider.config.shapes.base import Shape
from dativo_provider.errors import CredentialError, DativoError, MissingExtra, StorageUnavailable
from dativo_provider.secrets.base import Provider
from dativo_provider.secrets.named import Entry, Named, Place
from dativo_provider.secrets.names import SecretName
from dativo_provider.secrets.payload import Format, Payload
from dativo_provider.secrets.setup import Setup

__all__ = ["AwsSecrets", "opened"]

T = TypeVar("T")
_ALIASES = {"region_name": "region"}
_ABSENT = "ResourceNotFoundException"
_LATER = frozenset({"ThrottlingException", "InternalServiceError", "ServiceUnavailable"})


class Secret(Entry):
    """One secret by its name."""

    version_stage: str = Field(default="", description="Default `AWSCURRENT`.")
    version_id: str = Field(default="", description="One version of it.")


class Options(Shape):
    """`runner.secrets.aws`. Without keys boto3 finds a role or profile by itself."""

    region: str = Field(default="", description="Region; default: what boto3 finds.")
    kms_key_id: str = Field(default="", description="Key that encrypts what Dativo writes back.")
    secret_id_template: str = Field(default="", description="Default `prod/{tenant}/{name}`.")
    prefix: str = Field(default="", description="Short for `<prefix>{tenant}/{name}`.")
    secrets: list[Secret] = Field(default=[], description="Secrets whose ids follow no template.")
    bundle_secret_id_template: str = Field(default="", description="One secret that holds all of a tenant's.")
    bundle_format: Format = Field(default="json", description="How it holds them.")
    endpoint_url: str = Field(default="", description="Instead of AWS's own.")
    profile: str = Field(default="", description="Of ~/.aws/config.")
    access_key_id: str = Field(default="", description="Key; better a role.")
    secret_access_key: str = Field(default="", description="Its secret.")
    session_token: str = Field(default="", description="Of temporary keys.")


def opened(setup: Setup) -> AwsSecrets:
    """Raises `ConfigurationError`, `MissingExtra`."""
    found = setup.connection()
    defaults = {
        "access_key_id": found.login, "secret_access_key": found.password, "region": found.extra.get("region_name", ""),
        "endpoint_url": found.extra.get("endpoint_url", ""),
    }  # fmt: skip
    return AwsSecrets(setup.shaped(Options, _ALIASES, defaults), setup)


class AwsSecrets(Provider):
    name, writes = "aws", True

    def __init__(self, options: Options, setup: Setup) -> None:
        super().__init__(setup.register)
        self._options = options
        template = options.secret_id_template or (f"{options.prefix}{{tenant}}/{{name}}" if options.prefix else "")
        self._named = Named(
            setup.where, template, "prod/{tenant}/{name}", options.secrets, options.bundle_secret_id_template,
            options.bundle_format,
        )  # fmt: skip
        for secret in filter(None, (options.secret_access_key, options.session_token)):
            setup.register(secret)

    def find(self, wanted: SecretName) -> tuple[Payload, str]:
        return self._named.find(wanted, self._value, "AWS Secrets Manager")

    def store(self, wanted: SecretName, text: str, found: Payload) -> None:
        place, whole = self._named.changed(wanted, self._value, text, "AWS Secrets Manager")
        if self._options.kms_key_id:
            self._call(lambda: self._client.update_secret(
                SecretId=place.id, SecretString=whole, KmsKeyId=self._options.kms_key_id), place.id)  # fmt: skip
        else:
            self._call(lambda: self._client.put_secret_value(SecretId=place.id, SecretString=whole), place.id)

    def _value(self, place: Place) -> str | None:
        asked = {"SecretId": place.id, **dict(_version(place.entry))}
        answer = self._call(lambda: self._client.get_secret_value(**asked), place.id)
        if answer is None:
            return None
        found = answer.get("SecretString")
        return str(found) if found is not None else _decoded(answer["SecretBinary"], place.id)

    @cached_property
    def _client(self) -> Any:
        try:
            import boto3
            from botocore.config import Config
        except ImportError as problem:
            raise MissingExtra.named("aws", "the secrets provider 'aws'") from problem
        options = self._options
        keys = {
            "aws_access_key_id": options.access_key_id, "aws_secret_access_key": options.secret_access_key,
            "aws_session_token": options.session_token, "region_name": options.region, "profile_name": options.profile,
        }  # fmt: skip
        session = boto3.Session(**{name: value for name, value in keys.items() if value})
        patient = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
        return session.client("secretsmanager", endpoint_url=options.endpoint_url or None, config=patient)

    def _call(self, call: Callable[[], T], where: str) -> T | None:
        """None when there is no such secret."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] == _ABSENT:
                return None
            raise _ours(error, where) from error
        except BotoCoreError as error:
            raise StorageUnavailable(
                f"AWS Secrets Manager could not be asked ({type(error).__name__})", where=where,
                remedy="set region, and credentials that boto3 finds: a role, a profile, or keys",
            ) from error  # fmt: skip


def _version(entry: Entry | None) -> Iterator[tuple[str, str]]:
    if isinstance(entry, Secret) and entry.version_id:
        yield "VersionId", entry.version_id
    if isinstance(entry, Secret) and entry.version_stage:
        yield "VersionStage", entry.version_stage


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise CredentialError("the secret is not UTF-8 text", where=where, remedy="store it as text") from None


def _ours(error: Any, where: str) -> DativoError:
    told = error.response["Error"]
    text = f"AWS Secrets Manager answered {told['Code']}: {told.get('Message', '')}"
    if told["Code"] in _LATER:
        return StorageUnavailable(text, where=where, remedy="try again later")
    return CredentialError(
        text, where=where,
        remedy="allow the role secretsmanager:GetSecretValue (PutSecretValue to write back), and kms:Decrypt",
    )  # fmt: skip
