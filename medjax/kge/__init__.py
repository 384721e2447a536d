"""The graph task: what a knowledge graph embedding adds to a training of sub-models.

Batches of triples, scores of gathered rows and their gradients, regularisers, rows that a batch touches, teachers. May
import: errors, core, config, objectives, training, scores, data, evaluation.
"""
