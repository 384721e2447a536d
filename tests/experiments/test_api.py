"""One call in Python: what it takes, and what comes out."""

import numpy as np
import pandas as pd
import pytest

import medjax
from medjax import config as config_lib
from medjax import errors

SMALL = {'widths': (4, 8), 'score': 'transe', 'steps': 6, 'batch': 16, 'negatives': 4, 'log_every': 3}
TRIPLES = [(f'e{i}', relation, f'e{(i + j) % 20}') for i in range(20) for relation, j in (('one', 1), ('two, "2"', 2))]


def test_triples_of_any_kind_give_the_same_run(tmp_path):
  frame = pd.DataFrame([triple[::-1] for triple in TRIPLES], columns=['tail', 'relation', 'head'])
  path = tmp_path / 'facts.tsv'
  path.write_text(''.join('\t'.join(triple) + '\n' for triple in TRIPLES))
  kinds = {'list': TRIPLES, 'array': np.array(TRIPLES), 'frame': frame, 'path': path}
  found = {kind: medjax.train(data, tmp_path / kind, **SMALL) for kind, data in kinds.items()}
  expected = found['path']
  assert expected.results['width'].tolist() == [4, 8] and expected.model.widths.values == (4, 8)
  for kind, run in found.items():
    pd.testing.assert_frame_equal(run.results, expected.results)
    assert set(run.model.relations.labels) == {'one', 'two, "2"'}, kind
    np.testing.assert_array_equal(run.model.params['entity']['vector'], expected.model.params['entity']['vector'])


def test_the_same_call_goes_on_and_another_is_refused(tmp_path):
  first = medjax.train(TRIPLES, tmp_path / 'run', **SMALL)
  pd.testing.assert_frame_equal(medjax.train(TRIPLES, tmp_path / 'run', **SMALL).results, first.results)
  with pytest.raises(errors.UsageError, match='other triples'):
    medjax.train(TRIPLES[:-1], tmp_path / 'run', **SMALL)
  with pytest.raises(errors.UsageError, match='seed'):
    medjax.train(TRIPLES, tmp_path / 'run', **SMALL, seed=3)


def test_a_run_stands_for_its_folder_and_shows_itself(tmp_path, capsys):
  run = medjax.train(TRIPLES, tmp_path / 'run', **SMALL)
  pd.testing.assert_frame_equal(medjax.evaluate(run), run.results)
  assert medjax.load(run, 4).width == 4
  capsys.readouterr()
  medjax.crop(run, 4, tmp_path / 'crop')
  assert f'width 4 of {run.workdir} -> ' in capsys.readouterr().out
  assert medjax.load(tmp_path / 'crop').width == 4
  assert medjax.export(run, 'numpy', tmp_path / 'vectors', width=4) == tmp_path / 'vectors'
  assert np.load(tmp_path / 'vectors' / 'entities.npy').shape == (20, 4)
  assert medjax.extract(run, widths='4', output=tmp_path / 'extracted')['width'].tolist() == [4]
  assert medjax.choose(run)['width'].tolist() == [4, 8]
  assert '<table' in run._repr_html_() and 'data:image/png;base64,iVBOR' in run._repr_html_()


def test_triples_of_any_kind_are_inspected(tmp_path):
  path = tmp_path / 'facts.csv'
  path.write_text('object,subject,predicate\n' + ''.join(f'{t},{h},"r"\n' for h, _, t in TRIPLES))
  found = medjax.inspect(path, split='1,0,0')
  assert found.splits['triples'].tolist() == [40, 0, 0] and found.relations['relation'].tolist() == ['r']
  assert repr(found).startswith('facts: 20 entities, 1 relations') and 'header object,subject,predicate' in str(found)
  assert medjax.inspect(TRIPLES).splits['triples'].sum() == 40
  assert medjax.inspect('world').graph.name == 'world'
  with pytest.raises(errors.DataError, match='2 columns'):
    medjax.inspect([('a', 'b')])


def test_a_configuration_is_trained_as_it_is(tiny_config, tmp_path):
  run = medjax.train(tiny_config({'train.steps': 3, 'eval.every': 0}), tmp_path / 'run', **{'eval.batch': 8})
  assert run.model.widths.values == (4, 8, 12)
  assert config_lib.from_flat({'eval.batch': 8}).eval.batch == 8


@pytest.mark.parametrize(
  'data, words',
  [([], '0 rows'), ([('a', 'b')], '2 columns'), ([('a', 'r', 'b'), ('a', 'r', None)], 'row 1 of the triples lacks')],
)
def test_what_is_no_triples_is_refused(tmp_path, data, words):
  with pytest.raises(errors.DataError, match=words):
    medjax.train(data, tmp_path / 'run', **SMALL)
  assert not (tmp_path / 'run').exists()


def test_a_field_that_does_not_exist_is_told(tmp_path):
  with pytest.raises(errors.ConfigError, match='stepz'):
    medjax.train(TRIPLES, tmp_path / 'run', stepz=3)
  with pytest.raises(errors.DataError, match='nowhere'):
    medjax.train(str(tmp_path / 'nowhere.tsv'), tmp_path / 'run', **SMALL)
