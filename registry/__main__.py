"""`python -m registry` is the `signet` command."""

from registry.cli import main

main()
