"""The tiny shape that commands run at, and what holds of the figures that they print."""

import math

TINY = ['--dataset=synthetic:60:3:300', '--widths=4,8', '--batch=8', '--negatives=4', '--rounds=2']


def leaves(value):
  """All numbers of a tree of dicts and lists."""
  if isinstance(value, (dict, list)):
    return [number for part in (value.values() if isinstance(value, dict) else value) for number in leaves(part)]
  return [value] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def positive(value):
  numbers = leaves(value)
  return bool(numbers) and all(math.isfinite(number) and number > 0 for number in numbers)
