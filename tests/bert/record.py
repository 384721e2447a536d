"""What Hugging Face's transformers gives, recorded for the tests; run by a Python that has it.

  python3 -m venv peer && peer/bin/pip install torch==2.13.0 transformers==5.24.0 sentence-transformers
  peer/bin/python tests/bert/record.py tiny tests/bert
  peer/bin/python tests/bert/record.py minilm FOLDER tests/bert
  peer/bin/python tests/bert/record.py check FOLDER

`tiny` makes a random BERT and records its outputs and those of its sub-models, whose arrays are sliced here by
themselves. `minilm` records vectors of sentences in a folder of sentence-transformers. `check` loads a folder that
`Encoder.save` wrote, with given.npz beside it, and prints the largest differences as JSON, as test_export_bert.py asks
for with PYTHON_WITH_TRANSFORMERS=peer/bin/python.
"""

import json
import pathlib
import sys

import numpy as np
import torch
import transformers

SENTENCES = [
  'A narrow bed holds the wide river.',
  'the river',
  'Café à Zürich, 東京!',
  'Unknown ☃ signs; and a veryverylongword that is cut in pieces',
]
PAIRS = [['a wide river and the sea', 'the bed'], ['one', 'the narrow river holds a bed, and the bed a river']]
TEXT = 'the river bed holds wide narrow and is in that cut sea one pieces signs very long word'
SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
WIDTHS = (8, 16, 24)
ACTIVATIONS = ('gelu', 'gelu_new', 'relu')
MINILM = [
  'A man is eating food.',
  'Someone has a meal.',
  'The river froze in winter',
  'Knowledge graphs, in short: KGs',
]


def vocabulary():
  letters = 'abcdefghijklmnopqrstuvwxyz'
  return [*SPECIAL, *letters, *(f'##{each}' for each in letters), *'.,!;', '東', *TEXT.split()]


def outputs(model, tokens):
  with torch.no_grad():
    found = model.eval()(
      input_ids=tokens['input_ids'], attention_mask=tokens['attention_mask'], token_type_ids=tokens['token_type_ids']
    )
  return found.last_hidden_state.numpy(), found.pooler_output.numpy()


def sub_model(model, config, width, layers):
  """A BertModel of the first entries of every array of another."""
  fields = {
    'hidden_size': width,
    'num_attention_heads': config.num_attention_heads * width // config.hidden_size,
    'intermediate_size': config.intermediate_size * width // config.hidden_size,
    'num_hidden_layers': layers,
  }
  small = transformers.BertModel(transformers.BertConfig.from_dict(config.to_dict() | fields))
  full = model.state_dict()
  small.load_state_dict(
    {name: full[name][tuple(slice(n) for n in array.shape)].clone() for name, array in small.state_dict().items()}
  )
  return small


def tiny(folder):
  torch.manual_seed(0)
  words, place = vocabulary(), folder / 'tiny'
  config = transformers.BertConfig(
    vocab_size=len(words),
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=64,
    max_position_embeddings=40,
  )
  model = transformers.BertModel(config)
  with torch.no_grad():
    for name, leaf in model.named_parameters():
      leaf.normal_(1.0 if name.endswith('LayerNorm.weight') else 0.0, 0.25)
  model.save_pretrained(place)
  (place / 'vocab.txt').write_text('\n'.join(words) + '\n', encoding='utf-8')
  tokenizer = transformers.BertTokenizerFast(vocab=str(place / 'vocab.txt'), do_lower_case=True)
  tokenizer.save_pretrained(place)
  given = tokenizer([*SENTENCES], padding=True, return_tensors='pt')
  pairs = tokenizer([a for a, _ in PAIRS], [b for _, b in PAIRS], padding=True, return_tensors='pt')
  short = tokenizer(
    [a for a, _ in PAIRS],
    [b for _, b in PAIRS],
    padding=True,
    truncation='longest_first',
    max_length=12,
    return_tensors='pt',
  )
  found = {}
  for name, tokens in (('given', given), ('pairs', pairs), ('short', short)):
    found |= {f'{name}_{key}': tokens[key].numpy().astype(np.int32) for key in tokens}
  for activation in ACTIVATIONS:
    config.hidden_act = activation
    other = transformers.BertModel(config)
    other.load_state_dict(model.state_dict())
    found[f'hidden_{activation}'], found[f'pooled_{activation}'] = outputs(other, given)
  config.hidden_act = 'gelu'
  found['hidden_pairs'], found['pooled_pairs'] = outputs(model, pairs)
  for width in WIDTHS:
    found[f'hidden_{width}'], found[f'pooled_{width}'] = outputs(sub_model(model, config, width, 2), given)
  found['hidden_layer'], found['pooled_layer'] = outputs(sub_model(model, config, 16, 1), given)
  np.savez_compressed(folder / 'tiny.npz', **found)
  told = {'sentences': SENTENCES, 'pairs': PAIRS, 'transformers': transformers.__version__, 'torch': torch.__version__}
  (folder / 'tiny.json').write_text(json.dumps(told, indent=1) + '\n')


def minilm(source, folder):
  tokenizer = transformers.AutoTokenizer.from_pretrained(source)
  model = transformers.AutoModel.from_pretrained(source, dtype=torch.float32)
  tokens = tokenizer(MINILM, padding=True, truncation=True, max_length=256, return_tensors='pt')
  found = {f'given_{key}': tokens[key].numpy().astype(np.int32) for key in tokens}
  for width in (96, model.config.hidden_size):
    hidden, pooled = outputs(sub_model(model, model.config, width, model.config.num_hidden_layers), tokens)
    there = found['given_attention_mask'][..., None]
    vectors = (hidden * there).sum(1) / there.sum(1)
    found[f'vectors_{width}'] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found[f'hidden_{width}'], found[f'pooled_{width}'] = hidden[:1], pooled[:1]
  np.savez_compressed(folder / 'minilm.npz', sentences=MINILM, **found)


def check(folder):
  given = np.load(folder.parent / 'given.npz', allow_pickle=False)
  model, loading = transformers.AutoModel.from_pretrained(folder, output_loading_info=True)
  tokens = transformers.AutoTokenizer.from_pretrained(folder)(SENTENCES, padding=True, return_tensors='pt')
  hidden, pooled = outputs(model, tokens)
  there = tokens['attention_mask'].numpy().astype(bool)
  told = {
    'odd': sorted(name for names in loading.values() for name in names),
    'hidden': float(np.abs(hidden - given['hidden'])[there].max()),
    'pooled': float(np.abs(pooled - given['pooled']).max()),
  }
  if (folder / 'modules.json').exists():
    import sentence_transformers

    vectors = sentence_transformers.SentenceTransformer(str(folder), device='cpu').encode(SENTENCES)
    told['vectors'] = float(np.abs(vectors - given['vectors']).max())
  print(json.dumps(told))


def classify(folder):
  tokens = transformers.AutoTokenizer.from_pretrained(folder)(SENTENCES, padding=True, return_tensors='pt')
  model, loading = transformers.AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
  with torch.no_grad():
    scores = model.eval()(**tokens).logits.numpy()
  odd = sorted(name for names in loading.values() for name in names)
  print(json.dumps({'odd': odd, 'scores': scores.tolist(), 'classes': list(model.config.id2label.values())}))


if __name__ == '__main__':
  {'tiny': tiny, 'minilm': minilm, 'check': check, 'classify': classify}[sys.argv[1]](*map(pathlib.Path, sys.argv[2:]))
