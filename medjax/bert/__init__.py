"""A croppable BERT: the encoder as published, its files as Hugging Face writes them, and sub-models by slicing.

The first w numbers of the hidden axis, with as many whole heads and neurons in proportion, are an encoder of their own.
Shapes are written with letters: B sentences of a batch, L tokens, H hidden numbers, A heads. May import: errors, core,
saved.
"""

from medjax.bert.config import BertConfig
from medjax.bert.crop import by_width
from medjax.bert.encoder import Bert
from medjax.bert.model import Encoder, load

__all__ = ['Bert', 'BertConfig', 'Encoder', 'by_width', 'load']
