#!/usr/bin/env bash
# Makes quickstart.txt and quickstart-seeds.txt beside it: bash docs/runs/quickstart.sh, from the repository's root.
set -euo pipefail
here="$PWD/docs/runs"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$PWD/launch.py" "$PWD/configs" "$PWD/medjax" "$work"
cd "$work"

show() { # show COMMAND: the command and what it prints, but for the bar of its progress
  echo "\$ $1"
  bash -c "$1" 2> /dev/null
}

{
  TIMEFORMAT="(%0R seconds on $(nproc) cores, %0U of processor time)"
  { time show 'python launch.py'; } 2>&1
  echo
  show 'python launch.py --mode=predict --workdir=runs/quickstart --head=France --relation=borders --width=40 --k=5'
  echo
  show 'python launch.py --mode=predict --workdir=runs/quickstart --relation=uses_currency --tail=Euro --width=40 --new --k=5'
} > "$here/quickstart.txt"

for seed in 1 2; do
  python launch.py --config.train.seed=$seed --workdir=runs/seed-$seed > /dev/null 2>&1
done
cat > rise.py <<'P'
import pandas as pd

runs = {'0': 'quickstart', '1': 'seed-1', '2': 'seed-2'}
mrr = pd.DataFrame({seed: pd.read_csv(f'runs/{name}/results.csv', index_col='width')['mrr'] for seed, name in runs.items()})
table = mrr.loc[[10, 20, 40, 80, 120, 160]].T.rename_axis('seed')
print(table.assign(rise=table[160] - table[10]).to_string(float_format='{:.4f}'.format))
P
python rise.py > "$here/quickstart-seeds.txt"
