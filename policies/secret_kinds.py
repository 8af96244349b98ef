"""What keys, tokens and passwords look like. Data only; `policies.secrets` looks for them.

The shapes are those that their issuers document, checked against the rules of gitleaks (MIT).
"""

import re
from typing import Final

import msgspec


class Kind(msgspec.Struct, frozen=True):
    """One shape of secret."""

    name: str
    """How findings and fingerprints name it, for example `github-token`."""
    title: str
    """With its article, for a sentence."""
    marks: tuple[str, ...]
    """One of these stands in every text that holds such a secret, whatever its case."""
    pattern: re.Pattern[str]
    """Its group `secret` is what must not be seen."""


def _kind(name: str, title: str, marks: str, pattern: str) -> Kind:
    body = pattern if "(?P<secret>" in pattern else rf"(?<![\w-])(?P<secret>{pattern})(?![\w-])"
    return Kind(name, title, tuple(marks.lower().split()), re.compile(body))


_WORD: Final = "[A-Za-z0-9_-]"
_PEM: Final = r"(?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_OPEN: Final = rf"-----BEGIN {_PEM}"
_PEM_BODY: Final = rf"(?=[\s\S]{{0,200}}?[A-Za-z0-9+/]{{32}})[\s\S]{{0,8000}}?-----END {_PEM}"
_PEM_ALONE: Final = r"(?:[^\S\n]*(?:\n|\Z)(?:[A-Za-z0-9+/=]{16,}\s*)*)"

KINDS: Final[tuple[Kind, ...]] = (
    _kind(
        "private-key", "a private key", "private",
        rf"(?P<secret>{_OPEN}{_PEM_BODY}|(?m:^)[^\S\n]*{_OPEN}{_PEM_ALONE})",
    ),
    _kind("age-key", "an age secret key", "age-secret-key-1",
          r"(?i:AGE-SECRET-KEY-1)[0-9A-Za-z]{58}"),
    _kind("aws-access-key", "an AWS access key id", "AKIA ASIA ABIA ACCA",
          "(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    _kind(
        "aws-secret-key", "an AWS secret access key", "aws",
        r"(?i:aws)[\w.\"' -]{0,20}(?i:secret|sk)[\w.\"' -]{0,24}[\"']?\s*(?:=>|:=|[=:,])\s*[\"']?"
        r"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    ),
    _kind("anthropic-key", "an Anthropic key", "sk-ant-", rf"sk-ant-[a-z]+\d\d-{_WORD}{{20,}}"),
    _kind("openai-key", "an OpenAI key", "sk-",
          rf"sk-(?:(?:proj|svcacct|admin|None)-{_WORD}{{20,}}|[A-Za-z0-9]{{20}}T3BlbkFJ[A-Za-z0-9]{{20}}"
          r"|[A-Za-z0-9]{48})"),
    _kind("openrouter-key", "an OpenRouter key", "sk-or-", "sk-or-v1-[0-9a-f]{64}"),
    _kind("google-key", "a Google API key", "AIza", rf"AIza{_WORD}{{35}}"),
    _kind("google-oauth", "a Google OAuth client secret", "GOCSPX-", rf"GOCSPX-{_WORD}{{28}}"),
    _kind("groq-key", "a Groq key", "gsk_", "gsk_[A-Za-z0-9]{52}"),
    _kind("xai-key", "an xAI key", "xai-", "xai-[A-Za-z0-9]{80}"),
    _kind("perplexity-key", "a Perplexity key", "pplx-", "pplx-[A-Za-z0-9]{48}"),
    _kind("replicate-token", "a Replicate token", "r8_", "r8_[A-Za-z0-9]{37}"),
    _kind("huggingface-token", "a Hugging Face token", "hf_", "hf_[A-Za-z0-9]{34,}"),
    _kind("github-token", "a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
          r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _kind("gitlab-token", "a GitLab token", "glpat- gldt- glrt- glptt- glsoat- glcbt-",
          rf"gl(?:pat|dt|rt|ptt|soat|cbt)-{_WORD}{{20,}}(?:\.{_WORD}+)*"),
    _kind("slack-token", "a Slack token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe xapp-",
          r"(?:xox[abeprs](?:\.xox[bp])?|xapp)-[0-9A-Za-z]+-[0-9A-Za-z-]{10,}"),
    _kind("slack-webhook", "a Slack webhook", "hooks.slack.com",
          r"https://hooks\.slack\.com/(?:services|workflows|triggers)/"
          r"(?P<secret>[A-Za-z0-9]+/[A-Za-z0-9]+/[A-Za-z0-9/]{16,})"),
    _kind("discord-webhook", "a Discord webhook", "discord",
          rf"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d+/(?P<secret>{_WORD}{{60,}})"),
    _kind("stripe-key", "a Stripe key", "sk_live_ rk_live_ sk_test_ rk_test_ whsec_",
          "[sr]k_(?:live|test)_[A-Za-z0-9]{24,}|whsec_[A-Za-z0-9+/=]{32,}"),
    _kind("sendgrid-key", "a SendGrid key", "SG.", rf"SG\.{_WORD}{{22}}\.{_WORD}{{43}}"),
    _kind("twilio-key", "a Twilio key", "SK", "SK[0-9a-f]{32}"),
    _kind("mailchimp-key", "a Mailchimp key", "-us", r"[0-9a-f]{32}-us\d{1,2}"),
    _kind("mailgun-key", "a Mailgun key", "key-", "key-[0-9a-f]{32}"),
    _kind("telegram-token", "a Telegram bot token", ":AA", rf"\d{{8,10}}:AA{_WORD}{{33}}"),
    _kind("npm-token", "an npm token", "npm_", "npm_[A-Za-z0-9]{36}"),
    _kind("npm-auth", "the password of a registry", "_authtoken _password",
          r"(?i:_authToken|:_password)\s*=\s*[\"']?(?P<secret>[A-Za-z0-9_./+=-]{16,})"),
    _kind("pypi-token", "a PyPI token", "pypi-", rf"pypi-AgE{_WORD}{{50,}}"),
    _kind("dockerhub-token", "a Docker Hub token", "dckr_", rf"dckr_[po]at_{_WORD}{{27,}}"),
    _kind("digitalocean-token", "a DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_",
          "do[opr]_v1_[0-9a-f]{64}"),
    _kind("databricks-token", "a Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _kind("vault-token", "a Vault token", "hvs. hvb.", rf"hv[bs]\.{_WORD}{{24,}}"),
    _kind("terraform-token", "a Terraform Cloud token", ".atlasv1.",
          rf"[A-Za-z0-9]{{14}}\.atlasv1\.{_WORD}{{60,}}"),
    _kind("shopify-token", "a Shopify token", "shpat_ shpca_ shppa_ shpss_",
          "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _kind("linear-key", "a Linear key", "lin_api_", "lin_api_[A-Za-z0-9]{40}"),
    _kind("grafana-token", "a Grafana token", "glsa_ glc_",
          r"glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/]{32,}={0,2}"),
    _kind("newrelic-key", "a New Relic key", "NRAK-", "NRAK-[A-Z0-9]{27}"),
    _kind("postman-key", "a Postman key", "PMAK-", "PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _kind("square-token", "a Square token", "EAAA sq0",
          rf"EAAA{_WORD}{{60}}|sq0(?:atp|csp)-{_WORD}{{22,43}}"),
    _kind("azure-key", "an Azure storage key", "accountkey= sharedaccesskey=",
          r"(?i:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/]{40,88}={0,2})"),
    _kind("jwt", "a JSON web token", "eyJ",
          rf"eyJ{_WORD}{{15,}}\.eyJ{_WORD}{{10,}}\.{_WORD}{{20,}}"),
    _kind("url-password", "a password in an address", "://",
          r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"`<>{}$]{0,80}:"
          r"(?P<secret>[^\s:/@'\"`<>{}$()\[\]%*]{3,120})@(?=[\w.\[-])"),
)  # fmt: skip
"""Every one of these is certain enough to stop a change."""
