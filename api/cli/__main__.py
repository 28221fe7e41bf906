"""`python -m api.cli`: the command `carrygrid` where its script is not installed."""

from api.cli import main

main()
