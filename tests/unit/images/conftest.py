"""What only exists on POSIX systems is tested there."""

from __future__ import annotations

import os

collect_ignore = [] if os.name == "posix" else ["test_folder_posix.py"]
