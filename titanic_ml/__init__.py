"""From a table to a chosen, measured and versioned model.

>>> from titanic_ml import TitanicPipeline
>>> TitanicPipeline("seed=7")
TitanicPipeline(env='local', dataset='titanic', data='data/train.csv', store='models', seed=7)
"""

from titanic_ml.errors import TitanicError

# Imported in functions: the pipeline, so that the errors can be imported alone at once.

__version__ = "0.3.0"
__all__ = ["TitanicError", "TitanicPipeline", "__version__"]


def __getattr__(name: str) -> object:
    """Import the pipeline, with pandas and scikit-learn, at its first use."""
    if name == "TitanicPipeline":
        from titanic_ml.pipeline import TitanicPipeline

        return TitanicPipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
