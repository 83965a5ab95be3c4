"""The command line: `python main.py --help`."""

from titanic_ml.cli.start import main

if __name__ == "__main__":
    main()
