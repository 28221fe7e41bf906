"""The command `carrygrid` as a module, so that a process of it can be forked."""

from carrygrid.cli import main

if __name__ == "__main__":
    main()
