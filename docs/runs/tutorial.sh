#!/usr/bin/env bash
# Makes the outputs that docs/tutorial.md shows: bash docs/runs/tutorial.sh, from the repository's root.
set -euo pipefail
here="$PWD/docs/runs/tutorial"
mkdir -p "$here"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$PWD/launch.py" "$PWD/configs" "$PWD/medjax" "$work"
block() { # block N: the Nth block of Python of the page
  awk -v n="$1" '/^```python$/ { if (++i == n) { on = 1; next } } /^```$/ { on = 0 } on' "$page"
}
page="$PWD/docs/tutorial.md"
cd "$work"

show() { # show NAME COMMAND: the command and what it prints, without the bar of progress
  { echo "\$ $2"; bash -c "$2" 2> errors.txt | sed "s#$work/##g"; } > "$here/$1.txt" || { cat errors.txt; exit 1; }
}

show train 'python launch.py'
show ask 'python launch.py --mode=predict --workdir=runs/quickstart --head=France --relation=borders --k=5'
show narrow 'python launch.py --mode=predict --workdir=runs/quickstart --head=France --relation=borders --k=5 --width=10'
show choose 'python launch.py --mode=choose --workdir=runs/quickstart --keep=0.95'
block 1 > facts.py
python facts.py
show inspect 'python launch.py --mode=inspect --config.data.path=numbers.csv'
show own 'python launch.py --config.data.path=numbers.csv --config.name=numbers --config.train.steps=1000'
show crop 'python launch.py --mode=crop --workdir=runs/numbers --width=40 --with_triples --output=small'
block 2 > ask.py
show python 'python ask.py'
