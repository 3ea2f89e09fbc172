"""The composition: settings, urls and Celery on top; `accounts` and `lib` at the bottom."""
