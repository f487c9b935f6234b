"""Read the pages twice; see `chalkdocs.reading`."""

collect_ignore_glob = ["docs/labs/*.py"]  # the build of the site runs them
pytest_plugins = ["chalkdocs.reading", "pytester"]
