"""What `pip install lookalike` brings: number of packages and megabytes, from the wheel, in a fresh environment.

    python tools/bench/install_size.py

Goals: at most 40 packages and 380 MB, pip and setuptools not counted, and no torch.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import arguments, megabytes, show

ROOT = Path(__file__).resolve().parents[2]
NOT_COUNTED = {"pip", "setuptools"}


def size_of(folder: Path) -> int:
    """Bytes of all files; a file with several links counts once."""
    sizes = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            sizes[status.st_dev, status.st_ino] = status.st_size
    return sum(sizes.values())


def main() -> None:
    asked = arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(place / "dist"), str(ROOT)]
        subprocess.run(build, check=True, capture_output=True)
        (wheel,) = (place / "dist").glob("*.whl")
        subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
        python = place / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        pip = [str(python), "-m", "pip"]
        subprocess.run([*pip, "install", "-qq", str(wheel)], check=True)
        listed = json.loads(subprocess.run([*pip, "list", "--format=json"], check=True, capture_output=True).stdout)
        packages = sorted(each["name"] for each in listed if each["name"] not in NOT_COUNTED)
        (site,) = (place / "venv").glob("[Ll]ib/**/site-packages")
        folders = {path.name: size_of(path) for path in site.iterdir() if path.is_dir()}
        spared = sum(
            size for folder, size in folders.items() if folder.split("-")[0] in {*NOT_COUNTED, "pkg_resources"}
        )
        whole = size_of(site) - spared
        wheel_bytes = wheel.stat().st_size
    largest = sorted(folders.items(), key=lambda pair: -pair[1])[:6]
    figures = {
        "packages": len(packages),
        "MB installed": megabytes(whole),
        "MB of the wheel": megabytes(wheel_bytes),
        "largest, MB": ", ".join(f"{folder} {megabytes(size):.0f}" for folder, size in largest),
        "names": ", ".join(packages),
    }
    goals = {
        "at most 40 packages": len(packages) <= 40,
        "at most 380 MB": whole <= 380e6,
        "no torch": "torch" not in packages,
    }
    show("core install from the wheel", figures, goals, asked.out)


if __name__ == "__main__":
    main()
