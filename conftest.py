"""Run the pages with each backend; see `chalkdocs.doctest_plugin`."""

collect_ignore_glob = [
    "docs/labs/*.py",  # the build of the site runs them
    # tests/docs/test_torch_docstrings.py reads these.
    *(
        f"src/chalkgrad/{topic}/_torch.py"
        for topic in (
            "activations",
            "data",
            "experiments",
            "landscape",
            "losses",
            "optimizers",
            "perceptron",
        )
    ),
]
pytest_plugins = ["chalkdocs.doctest_plugin", "pytester"]
