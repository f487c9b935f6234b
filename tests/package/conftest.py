"""The wheel in dist/, installed into environments that the tests share."""

import sys
import venv

import pytest
from tests.package.environments import TORCH, archive, program, run


@pytest.fixture(scope="session")
def install(tmp_path_factory):
    """Give a function that installs into an empty environment and returns its place."""

    def into_an_empty_one(*requests):
        place = tmp_path_factory.mktemp("environment")
        venv.create(place)
        for request in requests:
            here = ("-m", "pip", "--python", program(place, "python"))
            run(sys.executable, *here, "install", "--quiet", *request)
        return place

    return into_an_empty_one


@pytest.fixture(scope="session")
def plain(install):
    return install([archive("*.whl")])


@pytest.fixture(scope="session")
def with_torch(install):
    wheel = f"chalkgrad[torch] @ {archive('*.whl').as_uri()}"
    return install(["--requirement", TORCH], [wheel])


@pytest.fixture(scope="session")
def whole(install):
    """Return an environment with all that the pages import, and what runs cells."""
    wheel = f"chalkgrad[lecture,torch] @ {archive('*.whl').as_uri()}"
    return install(["--requirement", TORCH], [wheel, "ipykernel", "nbclient"])
