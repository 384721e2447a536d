"""A croppable BERT: the encoder as published, its files as Hugging Face writes them, and sub-models by slicing.

The first w numbers of the hidden axis, with as many whole heads and neurons in proportion, are an encoder of their own.
Shapes are written with letters: B sentences of a batch, L tokens, H hidden numbers, A heads, C classes, N sub-models.
May import: errors, core, config, data, objectives, training, saved.
"""

from medjax.bert.classifier import Classifier
from medjax.bert.config import BertConfig
from medjax.bert.crop import by_width
from medjax.bert.encoder import Bert
from medjax.bert.model import Encoder, load
from medjax.bert.run import load as load_classifier

__all__ = ['Bert', 'BertConfig', 'Classifier', 'Encoder', 'by_width', 'load', 'load_classifier']
