"""Where versions of models live, and which is the champion."""
