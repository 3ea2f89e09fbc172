"""The settings with dummy secrets, for mypy's Django plugin, which reads them to know the models."""

import os

from callcenter.tests.environment import DUMMY_SECRETS

os.environ.update(DUMMY_SECRETS, ENV_FILE="")

from callcenter.settings import *  # noqa: F403  the environment must be set first.
