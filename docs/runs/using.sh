#!/usr/bin/env bash
# Makes the outputs that docs/using.md shows: bash docs/runs/using.sh, from the repository's root.
set -euo pipefail
here="$PWD/docs/runs/using"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$PWD/launch.py" "$PWD/configs" "$PWD/medjax" "$work"
cd "$work"

show() { # show NAME COMMAND: the command and what it prints
  { echo "\$ $2"; bash -c "$2" 2>&1 | sed "s#$work/##g"; } > "$here/$1.txt"
}

printf 'head\trelation\ttail\nFrance\tborders\t\n\tborders\tFrance\nFrance\t?\tSpain\n' > asked.tsv
python launch.py > /dev/null 2>&1
show inspect 'python launch.py --mode=inspect --config.data.name=world'
show choose 'python launch.py --mode=choose --workdir=runs/quickstart --keep=0.9 --max_bytes=200000'
show calibrate 'python launch.py --mode=calibrate --workdir=runs/quickstart'
show crop 'python launch.py --mode=crop --workdir=runs/quickstart --width=40 --with_triples --output=small'
show predict 'python launch.py --mode=predict --workdir=small --head=France --relation=borders --k=5'
show relation 'python launch.py --mode=predict --workdir=small --head=France --tail=Spain --k=3'
show queries 'python launch.py --mode=predict --workdir=small --queries=asked.tsv --k=2 --format=csv'
cat > ask.py <<'P'
import medjax

model = medjax.load('small')
print(model)
print(model.predict_tails('France', 'borders', k=3, filter_known=True))
print(model.predict_heads('speaks', ['French', 'German'], k=2))
print(model.neighbours('France', k=3))
print(model.entity_vectors(['France', 'Spain'], frame=True).iloc[:, :4])
print(model.score('France', 'borders', ['Spain', 'Japan']), model.probability('France', 'borders', 'Spain'))
P
show python 'python ask.py'
cat > train.py <<'P'
import medjax

facts = [(f'p{i}', 'knows', f'p{(i * i + 1) % 50}') for i in range(50)] + [(f'p{i}', 'next to', f'p{(i + 1) % 50}') for i in range(50)]
run = medjax.train(facts, 'runs/mine', score='complex', widths='4,8,16', steps=200, batch=32, negatives=8)
print(run.model)
P
show train 'python train.py 2> /dev/null'
