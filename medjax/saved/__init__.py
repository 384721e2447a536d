"""Files, whole or not at all: the workdir of a run, cropped models, checkpoints, and models out of them.

May import: errors, core, config, scores, data, training.
"""
