"""The portal's own settings, with the floor pages beside its pages and a count of queries on each answer."""

from portal.settings import *  # noqa: F403
from portal.settings import MIDDLEWARE

ROOT_URLCONF = "bench.urls"
MIDDLEWARE = ["bench.floor.CountQueries", *MIDDLEWARE]
