"""`python -m titanic_ml`: the command line."""

from titanic_ml.cli.start import main

if __name__ == "__main__":
    main()
