"""What runs only on your machine: the cloud that the functions are deployed to, played from template.yaml."""

import sys
from pathlib import Path

# In Lambda the layer is on the path already.
_LAYER = str(Path(__file__).resolve().parent.parent / "layers" / "shared")
if _LAYER not in sys.path:
    sys.path.insert(0, _LAYER)
