"""The widths of a model: which sub-models it has, and in which blocks its sums are taken."""

from collections.abc import Iterable
import dataclasses
import functools
import itertools
import math

from medjax import errors

MOST = 4096  # widths of a model
LARGEST = 2**31 - 1  # width: the device counts in int32
MAX_BLOCK = 16  # most components that are added slice by slice: XLA's CPU backend does not vectorise longer sums


def parse_widths(text: str) -> tuple[int, ...]:
  """Returns the widths written as '10:640:10' (first:last:step) or '10,40,160' as a tuple of ints.

  >>> parse_widths('10:40:10')
  (10, 20, 30, 40)
  >>> parse_widths('10,40,160')
  (10, 40, 160)

  Raises:
    WidthError: the text is neither, or the widths do not increase from at least 1.
  """
  try:
    if ':' in text:
      first, last, step = (int(part) for part in text.split(':'))
      check_count(text, len(range(first, min(last, LARGEST) + 1, step)), last)
      widths = tuple(range(first, last + 1, step))
      if widths and widths[-1] != last:
        raise errors.WidthError(
          f'widths {text!r}: steps of {step} from {first} do not reach {last}; use a last width such as {widths[-1]}'
        )
    else:
      check_count(text, 1 + text.count(','))
      widths = tuple(int(part) for part in text.split(','))
      check_count(text, len(widths), max(widths))
  except errors.WidthError:
    raise
  except ValueError:
    raise errors.WidthError(
      f'widths {text!r} are not understood; write first:last:step, as in 10:640:10, or a list, as in 10,40,160'
    ) from None
  if not widths or widths[0] < 1 or any(a >= b for a, b in itertools.pairwise(widths)):
    raise errors.WidthError(f'widths {text!r} give {widths}; they must increase and start at 1 or more')
  return widths


def check_count(text: str, count: int, last: int = 0) -> None:
  """Raises WidthError for more than `MOST` widths, or a last one beyond `LARGEST`."""
  if count > MOST or last > LARGEST:
    raise errors.WidthError(
      f'widths {text[:80]!r}: a model has at most {MOST:,} widths, none beyond {LARGEST:,}; take larger steps or a '
      'smaller last width'
    )


@dataclasses.dataclass(frozen=True)
class Widths:
  """The sub-models of a model.

  >>> widths = Widths((10, 40, 160), components=2)
  >>> widths.block, widths.num_blocks, widths.ends
  (5, 16, (0, 3, 15))
  >>> widths.up_to(40).values
  (10, 40)

  Attributes:
    values: increasing widths in real numbers per entity; the last is the full model.
    components: real numbers per croppable component: 2 for complex and two-role scores, else 1.
    block: components per block; partial sums are taken block by block, and every width ends with a block.
      A crop keeps its model's block, so that it adds in the same order and gives the same floats.
    parts: devices over which the components are split; tables then hold a device's share of them.
    axis: the name of the devices' mesh axis.
  """

  values: tuple[int, ...]
  components: int = 1
  block: int = 0
  parts: int = 1
  axis: str = ''

  def __post_init__(self) -> None:
    for width in self.values:
      if width < 1 or width % self.components:
        raise errors.WidthError(
          f'width {width} is impossible for a score with {self.components} numbers per '
          f'component; widths must be positive multiples of {self.components}'
        )
    if not self.block:
      object.__setattr__(self, 'block', math.gcd(*self.values) // self.components)

  @property
  def full(self) -> int:
    """The width of the full model."""
    return self.values[-1]

  @property
  def num_blocks(self) -> int:
    """How many blocks the full model has."""
    return self.full // (self.components * self.block)

  @functools.cached_property
  def ends(self) -> tuple[int, ...]:
    """Index of the block that ends each width, [N]."""
    return tuple(width // (self.components * self.block) - 1 for width in self.values)

  @functools.cached_property
  def fine(self) -> 'Widths':
    """These widths in blocks of at most `MAX_BLOCK` components."""
    block = max(b for b in range(1, min(self.block, MAX_BLOCK) + 1) if self.block % b == 0)
    return dataclasses.replace(self, block=block)

  def split(self, parts: int, axis: str) -> 'Widths':
    """Returns these widths for components split evenly over devices; raises WidthError if they cannot be."""
    length = self.full // self.components
    if length % parts:
      fitting = ', '.join(str(n) for n in range(1, length + 1) if length % n == 0)
      raise errors.WidthError(
        f'the {length} components of width {self.full} cannot be split evenly over {parts} '
        f'devices; take one of {fitting}'
      )
    return dataclasses.replace(self, block=math.gcd(self.block, length // parts), parts=parts, axis=axis)

  def index(self, width: int) -> int:
    """Returns the position of a trained width; raises WidthError naming the nearest ones otherwise."""
    if width in self.values:
      return self.values.index(width)
    nearest = sorted(sorted(self.values, key=lambda w: abs(w - width))[:3])
    raise errors.WidthError(
      f'width {width} was not trained; the nearest trained widths are '
      f'{", ".join(map(str, nearest))} (of {self.values[0]} to {self.full})'
    )

  def with_extra(self, extra: Iterable[int]) -> 'Widths':
    """Returns these widths and the extra ones up to the full width; their block fits all extra ones."""
    values = tuple(sorted({*self.values, *(width for width in extra if width < self.full)}))
    return Widths(values, self.components, math.gcd(self.block, *(width // self.components for width in extra)))

  def up_to(self, width: int) -> 'Widths':
    """Returns the widths of the crop to `width`."""
    return dataclasses.replace(self, values=self.values[: self.index(width) + 1])
