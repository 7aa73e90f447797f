"""`python -m cloudfilm`: the same as the command `cloudfilm`, wherever it is installed."""

from cloudfilm.cli import main

if __name__ == "__main__":
    main()
