"""The fixtures that the tests of this folder share."""

from callcenter.tests.browser import browser, page

__all__ = ["browser", "page"]
