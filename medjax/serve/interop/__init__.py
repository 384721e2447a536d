"""Models leave the library (`export`) and enter it (`import_model`): one small file a format, numpy and no JAX.

Part of the room serve, and may import what it may: errors, core, scores, data, saved. `pykeen_side` is for another
Python, with PyTorch and PyKEEN, and imports nothing of medjax.
"""
