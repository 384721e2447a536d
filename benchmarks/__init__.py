"""Measurements of medjax, one command each: `python -m benchmarks.NAME`; docs/benchmarks.md says what they measure."""
