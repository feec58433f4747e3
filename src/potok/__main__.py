"""`python -m potok` is the command `potok`."""

from potok.cli import main

if __name__ == "__main__":
    main()
