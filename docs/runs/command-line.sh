#!/usr/bin/env bash
# Makes the outputs that docs/command-line.md and docs/trackers.md show: bash docs/runs/command-line.sh, from the
# repository's root, with the extras wandb and mlflow.
set -euo pipefail
here="$PWD/docs/runs"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
printf '#!/usr/bin/env python\nimport sys\n\nfrom medjax.command import main\n\nsys.exit(main())\n' > "$work/bin/medjax" # as pip does
chmod +x "$work/bin/medjax"
export PATH="$work/bin:$PATH" PYTHONPATH="$PWD" COLUMNS=100
cd "$work"

show() { # show FILE COMMAND: the command and what it prints, without progress bars
  { echo "\$ $2"; bash -c "$2" 2>&1 | sed -e 's#.*\r##' -e '/^training: /d' -e "s#$work/##g" || true; } > "$here/$1.txt"
}

short='--config.model.widths=10,40 --config.train.steps=100 --config.eval.every=0 --config.train.log_every=50'
show command-line/help 'medjax --help'
show command-line/predict 'medjax predict --help'
show command-line/field 'medjax help train.batch config.parallel'
show command-line/train 'medjax --config.train.steps=500 --config.eval.every=0 --workdir=runs/a'
show command-line/wrong 'medjax predict --workdir=runs/a --head=Frnce --relation=borders'
show command-line/mode 'medjax predct --workdir=runs/a'
printf 'from medjax import config\n\n\ndef get_config():\n  return config.Config(nme="mine")\n' > mine.py
show command-line/mine 'medjax --config=mine.py'
cat > my_tracker.py <<'E'
def tell(step, values):
  with open('told.txt', 'a') as file:
    print(step, {name: round(value, 3) for name, value in values.items() if name.endswith('/40')}, file=file)
E
export WANDB_MODE=offline
show trackers/several "medjax $short --config.train.tracker=wandb,mlflow,my_tracker:tell --workdir=runs/tracked"
show trackers/told 'cat told.txt'
show trackers/further "medjax $short --config.train.tracker=wandb,mlflow,my_tracker:tell --workdir=runs/tracked"
show trackers/nothing 'wc -l < told.txt'
