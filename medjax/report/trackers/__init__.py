"""Where metrics go beside metrics.jsonl: TensorBoard, Weights & Biases, MLflow or a function, a small file each.

Part of the room report, and may import what it may. `config.train.tracker` names them; docs/trackers.md tells of them.
"""
