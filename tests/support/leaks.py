"""Made-up secrets and what only looks like one.

Each secret is put together from pieces, so that no scanner takes this repository for a leak.
"""

import random
import string
from typing import Final

_DICE: Final = random.Random(20)
_ALNUM: Final = string.ascii_letters + string.digits


def _some(count: int, signs: str = _ALNUM) -> str:
    return "".join(_DICE.choice(signs) for _ in range(count))


_HEX: Final = string.digits + "abcdef"
_CAPITALS: Final = string.ascii_uppercase + string.digits
_PEM: Final = "\n".join(_some(64) for _ in range(8))

SECRETS: Final[dict[str, str]] = {
    "aws-access-key": "AKIA" + _some(16, _CAPITALS),
    "anthropic-key": "sk-ant-" + "api03-" + _some(93) + "AA",
    "openai-key": "sk-" + "proj-" + _some(48),
    "google-key": "AIza" + _some(35),
    "github-token": "gh" + "p_" + _some(36),
    "gitlab-token": "gl" + "pat-" + _some(20),
    "slack-token": "xox" + "b-" + _some(12, string.digits) + "-" + _some(24),
    "stripe-key": "sk_" + "live_" + _some(24),
    "sendgrid-key": "SG" + "." + _some(22) + "." + _some(43),
    "twilio-key": "SK" + _some(32, _HEX),
    "npm-token": "npm" + "_" + _some(36),
    "pypi-token": "pypi-" + "AgEIcHlwaS5vcmc" + _some(60),
    "huggingface-token": "hf" + "_" + _some(34),
    "telegram-token": _some(10, "123456789") + ":AA" + _some(33),
    "jwt": "eyJ" + _some(33) + ".eyJ" + _some(60) + "." + _some(43),
    "digitalocean-token": "dop" + "_v1_" + _some(64, _HEX),
    "databricks-token": "dapi" + _some(32, _HEX),
    "vault-token": "hvs" + "." + _some(90),
    "shopify-token": "shp" + "at_" + _some(32, _HEX),
    "azure-key": "AccountKey=" + _some(86) + "==",
    "age-key": "AGE-SECRET-" + "KEY-1" + _some(58, _CAPITALS),
    "url-password": "postgres://deploy:" + _some(16) + "@db.example.net/app",
    "slack-webhook": "https://hooks.slack.com/" + "services/T0" + _some(8, _CAPITALS)
    + "/B0" + _some(8, _CAPITALS) + "/" + _some(24),
}  # fmt: skip
"""By kind, each as it would stand in a file."""

PRIVATE_KEY: Final = "-----BEGIN RSA " + f"PRIVATE KEY-----\n{_PEM}\n-----END RSA PRIVATE KEY-----"
AWS_SECRET: Final = _some(40)

LOOK_ALIKES: Final[dict[str, str]] = {
    "integrity of a lock file": f'"integrity": "sha512-{_some(86)}==",',
    "hash of a lock file": f'{{file = "a-1.0.whl", hash = "sha256:{_some(64, _HEX)}"}},',
    "sum of a Go module": f"golang.org/x/sys v0.1.0 h1:{_some(43)}=",
    "subresource integrity": f'<script integrity="sha384-{_some(64)}" src="a.js">',
    "commit id": f'PINNED = "{_some(40, _HEX)}"',
    "action pinned by its commit": f"uses: actions/checkout@{_some(40, _HEX)} # v4",
    "digest of an image": f"FROM debian@sha256:{_some(64, _HEX)}",
    "UUID": 'ID = "3f9c2d1a-77be-4c55-9d1e-0a1b2c3d4e5f"',
    "image data": f'src="data:image/png;base64,{_some(600)}"',
    "public key": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{_some(43)} ada@example.org",
    "certificate": f"-----BEGIN CERTIFICATE-----\n{_some(64)}\n-----END CERTIFICATE-----",
    "header of a private key in code": 'if text.startswith("-----BEGIN PRIVATE KEY-----"):',
    "key of the AWS manual": 'aws_access_key_id = "AKIA' + 'IOSFODNN7EXAMPLE"',
    "secret of the AWS manual": 'aws_secret_access_key = "wJalrXUtnFEMI/K7MDENG/'
    + 'bPxRfiCYEXAMPLEKEY"',
    "placeholder": "ANTHROPIC_API_KEY=sk-ant-" + "api03-your-key-goes-here-please",
    "crossed out": "token: gh" + "p_" + "x" * 36,
    "pattern": r'GITHUB = re.compile("gh' + r'p_[A-Za-z0-9]{36}")',
    "environment variable": 'password = os.environ["DATABASE_PASSWORD_2"]',
    "secret of a workflow": "token: ${{ secrets.GITHUB_TOKEN_V2 }}",
    "password of an example": "postgres://user:password@localhost:5432/app",
    "variable in an address": 'f"postgres://{user}:{password}@{host}/app"',
    "scoped package": "https://cdn.example.com/npm/react@18.3.1/umd/react.production.min.js",
    "function with a telling name": "authenticate_with_token_v2(request.session_token_v1)",
    "long name of a class": '"AbstractSingletonProxyFactoryBean2WithOAuth2Support"',
    "minified code": "var " + ";".join(f"{_some(3)}={_some(5)}" for _ in range(200)),
    "publishable key": 'pk = "pk_' + f'live_{_some(3)}"',
}
"""What each is, and a line of it."""
