"""Puts the data folders into the wheel; everything else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

DATA_FOLDERS = ("models", "web_client")
NOT_SHIPPED = ("node_modules", "package*.json", "tsconfig*.json")


class BuildWithData(build_py):
    """Copies `models` and `web_client` to where avatar/store/data.py looks in a wheel."""

    def run(self) -> None:
        """Build the packages, then put the data beside them."""
        super().run()
        if self.editable_mode:  # an editable install finds them beside the packages
            return
        for name in DATA_FOLDERS:
            target = Path(self.build_lib) / "avatar" / "_data" / name
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(name, target, ignore=shutil.ignore_patterns(*NOT_SHIPPED))


setup(cmdclass={"build_py": BuildWithData})
