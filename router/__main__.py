"""`python -m router` is the command `renvoi`."""

from router.cli.main import main

if __name__ == "__main__":
    main()
