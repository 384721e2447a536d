"""Ships the configurations of the repository inside of the package; everything else is in pyproject.toml."""

import pathlib
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py


class WithConfigs(build_py):
  """Also copies configs/ to medjax/configs, where `medjax.config.shipped` looks for it."""

  def run(self):
    super().run()
    if not self.editable_mode:
      to = pathlib.Path(self.build_lib) / 'medjax' / 'configs'
      shutil.copytree('configs', to, dirs_exist_ok=True, ignore=shutil.ignore_patterns('__pycache__'))


setup(cmdclass={'build_py': WithConfigs})
