"""eventloader loads JSON events into Parquet, exactly one row per event; datagen generates such events.

The package has both programs as commands: `eventloader` and `datagen`, and `python -m eventloader`.
"""

from eventloader._native import __version__

__all__ = ["__version__"]
