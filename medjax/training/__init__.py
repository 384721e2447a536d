"""The step, the loop and the layouts of any training of sub-models: they know a `Task`, and neither graphs nor text.

May import: errors, core, config.
"""
