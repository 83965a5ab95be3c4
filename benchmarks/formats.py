"""Ways to keep a fitted model: seconds to write, to read and check, and bytes.

`make bench-formats` runs it in an environment of its own. Each way is tried in turn, several times;
the median of each is printed. What a way can't do is printed as the reason.
"""

from __future__ import annotations

import io
import statistics
import time
import warnings
from collections.abc import Callable

import joblib
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from titanic_ml.config.compose import build, load_settings
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.dataset.spec import DatasetSpec
from titanic_ml.preprocessing.encoder import build_preprocessor
from titanic_ml.registry.signatures import opened, sealed, sha256
from titanic_ml.storage.tables import read_table

ROUNDS = 7
KEY = "a key"
ESTIMATORS = {
    "logistic regression": LogisticRegression(max_iter=1000),
    "histogram boosting": HistGradientBoostingClassifier(random_state=0),
    "random forest (500)": RandomForestClassifier(500, random_state=0, n_jobs=1),
}


def by_joblib(model: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def from_joblib(data: bytes) -> object:
    return joblib.load(io.BytesIO(data))


def signed(model: object) -> tuple[bytes, bytes]:
    data = by_joblib(model)
    return data, sealed({"files": {"model.joblib": sha256(data)}}, KEY)


def from_signed(pair: tuple[bytes, bytes]) -> object:
    data, manifest = pair
    assert opened(manifest, KEY)["files"]["model.joblib"] == sha256(data)
    return from_joblib(data)


def by_skops(model: object) -> bytes:
    import skops.io

    return skops.io.dumps(model)


def from_skops(data: bytes) -> object:
    import skops.io

    return skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))


def by_onnx(model: object, columns: int) -> bytes:
    from skl2onnx import to_onnx

    return to_onnx(model, np.zeros((1, columns), np.float32)).SerializeToString()


def from_onnx(data: bytes) -> object:
    from onnxruntime import InferenceSession

    return InferenceSession(data, providers=["CPUExecutionProvider"])


def measured(write: Callable, read: Callable, thing: object) -> tuple[float, float, int]:
    """Seconds to write and to read, and bytes."""
    start = time.perf_counter()
    kept = write(thing)
    middle = time.perf_counter()
    read(kept)
    size = sum(map(len, kept)) if isinstance(kept, tuple) else len(kept)
    return middle - start, time.perf_counter() - middle, size


def main() -> None:
    warnings.simplefilter("ignore")
    settings = load_settings()
    spec = DatasetSpec.from_dict(settings.dataset)
    dataset = Dataset.from_frame(read_table("data/train.csv"), spec, "data/train.csv")
    X, y = dataset.labelled
    print(f"{'MODEL':<20} {'KEPT AS':<24} {'WRITE':>9} {'READ':>9} {'BYTES':>12}")
    for name, estimator in ESTIMATORS.items():
        features = build_preprocessor(build(spec.features))
        matrix = np.asarray(features.fit_transform(X, y), np.float32)
        whole = make_pipeline(features, estimator.fit(matrix, y))
        ways = {
            "joblib": (by_joblib, from_joblib, whole),
            "joblib, hash, signature": (signed, from_signed, whole),
            "skops": (by_skops, from_skops, whole),
            "skops, without features": (by_skops, from_skops, estimator),
            "ONNX, without features": (
                lambda model: by_onnx(model, matrix.shape[1]),
                from_onnx,
                estimator,
            ),
        }
        found: dict[str, list[tuple[float, float, int]]] = {way: [] for way in ways}
        failed: dict[str, str] = {}
        for _ in range(ROUNDS):
            for way, (write, read, thing) in ways.items():
                try:
                    found[way].append(measured(write, read, thing))
                except Exception as error:  # the reason is the result
                    failed[way] = f"{type(error).__name__}: {str(error).splitlines()[0][:60]}"
        for way, times in found.items():
            if way in failed:
                print(f"{name:<20} {way:<24} {failed[way]}")
                continue
            wrote, read_, size = (statistics.median(column) for column in zip(*times, strict=True))
            print(f"{name:<20} {way:<24} {wrote:>7.4f} s {read_:>7.4f} s {size:>12,.0f}")
    import skops.io

    print("\nOf the forest, skops must be told to trust:")
    print("  " + ", ".join(skops.io.get_untrusted_types(data=by_skops(estimator))))


if __name__ == "__main__":
    main()
