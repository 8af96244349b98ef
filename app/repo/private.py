"""Names of files that usually hold secrets: none of them reaches an agent unless a person names it. Pure."""

import re
from typing import Final

from app.repo.filenames import folded, shown

_NAMES: Final = (
    *(".env", ".env.*", "*.env", ".netrc", "_netrc", ".npmrc", ".pypirc", ".pgpass", ".my.cnf"),
    *(".htpasswd", ".dockercfg", ".git-credentials", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks"),
    *(
        "*.keystore",
        "*.kdbx",
        "*.ppk",
        "*.gpg",
        "*.asc",
        "*.ovpn",
        "id_rsa*",
        "id_dsa*",
        "id_ecdsa*",
    ),
    *("id_ed25519*", "credentials*", "secrets.*", "secret.*", "*.secret", "*.secrets", "token"),
    *("*.token", "*.tfvars", "*.tfstate*", "service-account*.json", "serviceaccount*.json"),
    *("kubeconfig*", "wp-config.php", "local_settings.py", "master.key", "vault.*", ".vault*"),
)
_DIRECTORIES: Final = frozenset(
    (".ssh", ".aws", ".gnupg", ".kube", ".azure", ".gcloud", "secrets", ".secrets", "private")
)
_HARMLESS: Final = re.compile(r".*\.(example|sample|template|dist|tmpl)")


def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(glob).replace(r"\*", ".*") for glob in globs))


_LIKELY: Final = _pattern(_NAMES)


def looks_private(path: bytes) -> bool:
    """Whether a file of that name usually holds a secret."""
    *directories, leaf = folded(shown(path)).split("/")
    if not _DIRECTORIES.isdisjoint(directories):
        return True
    return bool(_LIKELY.fullmatch(leaf)) and not _HARMLESS.fullmatch(leaf)
