"""What the image carries, imported once without its warnings."""

from __future__ import annotations

import sys
import warnings

with warnings.catch_warnings():
    # pypiserver's bottle uses modules that Python announces the end of, and an import hook that it warns of each time;
    # gunicorn uses pkg_resources, which warns of itself.
    warnings.simplefilter("ignore")
    import gunicorn.util  # noqa: F401
    import pypiserver  # noqa: F401
sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]
