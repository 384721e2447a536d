"""Trainings by one call: a run, a study, a comparison, a chain of distillations; and models cut out of trained ones.

May import: errors, core, config, objectives, scores, data, evaluation, training, kge, bert, saved, serve,
report.
"""
