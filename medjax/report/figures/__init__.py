"""Figures of saved runs, one small file each; `python -m medjax.report.figures NAME FOLDER` draws one."""
