from django.apps import AppConfig


class SquillConfig(AppConfig):
    """The project itself as an app: its commands, template tags and static files."""

    name = "squill"
