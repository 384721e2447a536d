"""Filtered ranks of all widths in one pass, among all entities or chosen candidates, and their metrics.

Knows scores, and never a training. May import: errors, core, scores, data.
"""
