"""``python -m fraudops``: the command line, wherever the script of that name may be."""

from fraudops.cli.main import main

if __name__ == "__main__":
    main()
