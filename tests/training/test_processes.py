"""What processes tell each other."""

import numpy as np
import pytest

from medjax.training import processes


@pytest.mark.parametrize('received', [[], ['SIGTERM'], ['SIGINT', 'SIGTERM']])
def test_a_signal_in_any_process_is_told_by_numbers_of_one_shape(received, monkeypatch):
  told = []
  monkeypatch.setattr(processes, 'several', lambda: True)
  monkeypatch.setattr(processes.multihost_utils, 'process_allgather', lambda x: told.append(x) or np.array([x, 0]))
  assert processes.any_process(received) == bool(received)
  assert told[0].shape == ()  # lists of signals differ in length, and what is gathered may not
