"""Every error that a person can cause: its message names the file, field or value, and the remedy.

All of them are `MedjaxError`s, which the command line prints as one line.
"""


class MedjaxError(Exception):
  """The base of the errors below."""


class WidthError(MedjaxError, ValueError):
  """A width that the score cannot represent or the model does not have."""


class ConfigError(MedjaxError, ValueError):
  """A configuration that cannot be run."""


class DataError(MedjaxError, ValueError):
  """Data that cannot be read, or of which no graph can be made."""


class ArtifactError(MedjaxError, ValueError):
  """A workdir or model folder that is missing something, damaged or of another version."""


class CheckpointError(MedjaxError, RuntimeError):
  """A checkpoint that cannot be written or read."""


class ParallelError(MedjaxError, RuntimeError):
  """Devices or processes that are not there, or a shape that does not split over them."""


class Diverged(MedjaxError, RuntimeError):
  """A loss, a gradient or a parameter was not finite."""


class TeacherError(MedjaxError, ValueError):
  """A teacher that is not there, does not fit, or is not the one that a run began with."""


class UsageError(MedjaxError, ValueError):
  """A command that lacks something or does not fit its workdir."""


class FormatError(MedjaxError, ValueError):
  """A format that does not exist, is not installed, or cannot hold what it is asked for."""


class TooLarge(MedjaxError, MemoryError):
  """Work or a file that needs more memory than there is, or more bytes than a limit allows."""


class NothingSaved(MedjaxError, ValueError):
  """A folder without the saved runs or files that are asked for."""


class UnknownLabel(MedjaxError, KeyError):
  """An entity or relation that the model does not know."""

  def __str__(self) -> str:
    return self.args[0]  # KeyError would show it in quotes
