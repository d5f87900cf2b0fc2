"""``python -m kgrag`` is the ``kgrag`` command."""

from kgrag.cli import main

main()
