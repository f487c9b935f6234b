"""Read the pages twice; see `chalkdocs.reading`."""

pytest_plugins = ["chalkdocs.reading", "pytester"]
