"""``python -m openecs``: the ``openecs`` command."""

from openecs.cli import main

main()
