"""What follows from the devices that are here."""

import jax
import pytest

import medjax
from medjax.experiments.hardware import Hardware


@pytest.mark.parametrize(
  'platform, kinds, fields, words',
  [
    ('cpu', {'cpu': 1}, {}, ('a CPU with 2 cores, no GPU or TPU\n', 'one device')),
    ('cpu', {'cpu': 4}, {'parallel.mode': 'pmap'}, ('pretends to be 4 devices', 'all 4')),
    ('gpu', {'Tesla T4': 1}, {}, ('1 GPU device (Tesla T4)', 'one device')),
    ('gpu', {'Tesla T4': 3}, {}, ('3 GPU devices (Tesla T4)', 'one of the 3, since they are no power of two')),
    ('tpu', {'TPU v2': 8}, {'parallel.mode': 'pmap'}, ('8 TPU devices (TPU v2)', 'all 8')),
    ('gpu', {'A100': 1, 'T4': 1}, {}, ('2 GPU devices (1 x A100, 1 x T4)', 'different kinds')),
  ],
)
def test_devices_are_told_with_what_follows(platform, kinds, fields, words):
  found = Hardware(platform, kinds, 2)
  assert found.count == sum(kinds.values()) and found.fields == fields
  assert all(part in str(found) for part in words)


def test_the_devices_that_are_here_are_found():
  found = medjax.hardware()
  assert found.platform == jax.default_backend() and found.count == jax.local_device_count() and found.cores >= 1
