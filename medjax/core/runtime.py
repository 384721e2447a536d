"""Settings of the process that have to be made before, or right after, JAX is loaded."""

import os
import pathlib
import shlex
import sys


def use_huge_pages() -> None:
  """Restarts the interpreter once with glibc's allocator on huge pages (Linux only).

  A step on the CPU writes fresh buffers of many megabytes; with 4 KiB pages the kernel's page faults take
  longer than the arithmetic. The tunable is read before main(), hence the restart. A GLIBC_TUNABLES that
  is already set is left alone, which also ends the recursion.
  """
  if sys.platform == 'linux' and 'GLIBC_TUNABLES' not in os.environ:
    os.environ['GLIBC_TUNABLES'] = 'glibc.malloc.hugetlb=1'
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def cache_compilations() -> None:
  """Keeps compiled programs in the user's cache folder, so that a second start is quick."""
  root = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache')
  settings = {'compilation_cache_dir': str(root / 'medjax' / 'xla'), 'persistent_cache_min_compile_time_secs': 0.5}
  if 'jax' not in sys.modules:  # which reads them when it is loaded, if it is
    for name, value in settings.items():
      os.environ.setdefault(f'JAX_{name.upper()}', str(value))
    return
  import jax

  if not jax.config.jax_compilation_cache_dir:  # type: ignore[attr-defined]
    for name, value in settings.items():
      jax.config.update(f'jax_{name}', value)


def program() -> str:
  """Returns what this process was called by: 'medjax', 'python launch.py' or another program of Python.

  >>> program().split()[0] in ('python', 'medjax')
  True
  """
  name = os.path.basename(sys.argv[0]) if sys.argv else ''
  return (
    'medjax' if name in ('medjax', 'medjax.exe', 'medjax-script.py') else shlex.join(['python', *[name] * bool(name)])
  )


def command_line() -> str:
  """Returns the command that this process is, as a person types it."""
  return ' '.join([program(), shlex.join(sys.argv[1:])]).strip()
