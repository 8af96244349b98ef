"""Files that do more than being read: a person confirms a change to each of them. Pure.

Matched anywhere in the tree and without regard to case, as some disks do.
"""

import re
from collections.abc import Iterable
from typing import Final

from app.repo.filenames import folded, shown

_DIRECTORIES: Final = {
    "runs in continuous integration": (".github", ".circleci", ".gitlab", ".ci", ".buildkite"),
    "configures swarm": (".swarm",),
    "configures agents and editors": (
        *(".claude", ".codex", ".opencode", ".cursor", ".gemini", ".qwen", ".vscode", ".idea"),
        *(".devcontainer", ".zed", ".continue", ".windsurf"),
    ),
    "runs when you use git": (".husky", ".githooks"),
}
_FILES: Final = {
    "runs in continuous integration": (
        *(".gitlab-ci*", "jenkinsfile*", "azure-pipelines*", ".travis.yml", "appveyor.yml"),
        "bitbucket-pipelines.yml",
    ),
    "configures agents and editors": (
        *("opencode.json*", ".mcp.json", "claude*.md", "agents*.md", "gemini.md", ".cursorrules"),
        *("*.code-workspace", ".aider*"),
    ),
    "changes how git behaves": (
        *(".gitattributes", ".gitmodules", ".lfsconfig", ".pre-commit-config*", "lefthook*"),
        ".lefthook*",
    ),
    "decides what is installed": (
        *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock*"),
        *("poetry.lock", "uv.lock", "pdm.lock", "pipfile.lock", "requirements*.txt", "go.sum"),
        *("cargo.lock", "gemfile.lock", "composer.lock", "packages.lock.json", "gradle.lockfile"),
        "flake.lock",
    ),
    "holds settings, and often secrets": (".env", ".env.*", ".netrc", ".pypirc"),
    "runs when the project is installed, built or tested": (
        *("package.json", "setup.py", "setup.cfg", "pyproject.toml", "conftest.py", "*.pth"),
        *("sitecustomize.py", "usercustomize.py", "build.rs", "makefile", "gnumakefile", "*.mk"),
        *("dockerfile*", "*.dockerfile", "containerfile*", "docker-compose*", "compose.y*ml"),
        *(".npmrc", ".yarnrc*", "pip.conf", ".envrc", "mise.toml", ".mise.toml", ".tool-versions"),
        *("justfile", "taskfile.y*ml", "noxfile.py", "tox.ini", "pytest.ini", "cmakelists.txt"),
        *("build.gradle*", "settings.gradle*", "pom.xml", "rakefile", "gemfile"),
    ),
}


def _pattern(globs: Iterable[str]) -> re.Pattern[str]:
    written = "|".join(re.escape(glob).replace(r"\*", "[^/]*") for glob in globs)
    return re.compile(f"(?:{written})")


_RULES: Final = {why: _pattern(globs) for why, globs in _FILES.items()}


def sensitive(path: bytes) -> str:
    """What the file does besides being read, wherever it lies in the tree; empty when nothing is known."""
    *directories, leaf = folded(shown(path)).split("/")
    for why, names in _DIRECTORIES.items():
        if not set(names).isdisjoint(directories):
            return why
    return next((why for why, pattern in _RULES.items() if pattern.fullmatch(leaf)), "")
