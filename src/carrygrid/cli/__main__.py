"""`python -m carrygrid.cli`: the command `carrygrid` where its script is not installed."""

from carrygrid.cli import main

main()
