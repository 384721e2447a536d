"""What a run cost: steps, triples, seconds, memory, on which hardware, by which command."""

import importlib.metadata
import json
import pathlib
import platform
import sys
from typing import Any

import jax

from medjax.config.fields import Config
from medjax.core import runtime
from medjax.core.files import write_text
from medjax.evaluation import ranking
from medjax.report import metrics
from medjax.saved import schemas
from medjax.saved.files import Path, read_bytes, reading

try:
  import resource
except ImportError:  # Windows
  resource = None  # type: ignore[assignment]


def write(workdir: Path, config: Config, evaluation_seconds: float, **more: Any) -> None:
  """Writes cost.json of a finished run; training seconds add up over interruptions, `more` are further figures."""
  lines = metrics.read(workdir)
  steps = lines[-1]['step'] if lines else 0
  save(
    workdir,
    steps=steps,
    triples=steps * config.train.batch,
    train_seconds=round(sum(line.get('seconds', 0) for line in lines), 1),
    evaluation_seconds=round(evaluation_seconds, 1),
    **more,
  )


def save(folder: Path, **figures: Any) -> None:
  """Writes these figures with the command, the memory and the hardware of this process as cost.json."""
  cost = (
    {'command': runtime.command_line()}
    | figures
    | {'peak_memory_mib': peak_memory(), 'hardware': hardware(), 'jax': jax.__version__}
    | {'medjax': own_version(), 'python': platform.python_version()}
  )
  write_text(pathlib.Path(folder) / 'cost.json', json.dumps(cost, indent=1) + '\n')


def read(folder: Path) -> dict[str, Any]:
  """Returns the figures of cost.json, or {} where there is none; raises errors.ArtifactError for a damaged one."""
  path = pathlib.Path(folder) / 'cost.json'
  if not path.exists():
    return {}
  with reading(path):
    found = schemas.decode(read_bytes(path), path)
    schemas.convert(found, schemas.Cost)
    return found


def peak_memory() -> int | None:
  """Returns the largest memory of this process so far, in MiB, or None where the system does not tell."""
  if resource is None:
    return None
  unit = 1 if sys.platform == 'darwin' else 1024
  return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)


def own_version() -> str:
  """Returns the version that is installed, or '' of sources that are not."""
  try:
    return importlib.metadata.version('medjax')
  except importlib.metadata.PackageNotFoundError:
    return ''


def hardware() -> str:
  """Returns the devices and the processor in words."""
  words = f'{ranking.processors()} cores of {processor()}'
  kinds = sorted({device.device_kind for device in jax.devices()})
  return words if jax.default_backend() == 'cpu' else f'{jax.device_count()} x {", ".join(kinds)}; {words}'


def processor() -> str:
  """Returns the processor's name."""
  try:
    lines = pathlib.Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    return next(line.split(':', 1)[1].strip() for line in lines if line.startswith('model name'))
  except (OSError, StopIteration):
    return platform.processor() or platform.machine()
