"""Names of aliases are known without the store."""

import subprocess
import sys


def test_names_are_imported_without_the_store():
    code = (
        "import sys, titanic_ml.registry.names as names; "
        "print(names.CHAMPION, names.LATEST, 'obstore' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "champion latest False\n"
