"""Fails on a known hole in an installed dependency; says loudly, without failing, what could not be looked up."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

# pip-audit asks the advisory service once per package.
TIMEOUT_SECONDS = 300


def audited(report: Path) -> list[dict[str, object]]:
    """Every installed package with its holes or the reason why it was not looked up; empty when the audit broke off."""
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip_audit",
        "--local",
        "--progress-spinner",
        "off",
        "-f",
        "json",
        "-o",
        report,
    ]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        sys.stdout.write(f"pip-audit did not end within {TIMEOUT_SECONDS} s.\n")
        return []
    if not report.exists() or not report.read_text(encoding="utf-8").strip():
        sys.stdout.write(ran.stderr[-2000:])
        return []
    packages: list[dict[str, object]] = json.loads(report.read_text(encoding="utf-8"))["dependencies"]
    return packages


def verdict(packages: list[dict[str, object]]) -> tuple[str, int]:
    """What to print, and the exit code: 1 only when a hole was found."""
    holes = [
        f"  {package['name']} {package['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'none'}"
        for package in packages
        for hole in package.get("vulns", ())  # type: ignore[attr-defined]
    ]
    skipped = [package for package in packages if "skip_reason" in package]
    looked_up = len(packages) - len(skipped)
    lines = [f"{looked_up} packages looked up, {len(holes)} known holes."]
    lines += holes
    if skipped or not packages:
        count = len(skipped) or "all"
        lines.append(f"!! NOT AUDITED: {count} packages; the advisory service can't be reached or doesn't know them.")
        lines += [f"   e.g. {package['skip_reason']}" for package in skipped[:1]]
    return "\n".join(lines), 1 if holes else 0


def main() -> int:
    """Audit the environment this runs in, which holds both requirement files."""
    with tempfile.TemporaryDirectory() as folder:
        text, code = verdict(audited(Path(folder) / "audit.json"))
    sys.stdout.write(text + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
