"""Every configuration key: its name, default, check and meaning.

Keys and defaults are confluent-kafka's; the differences stand in docs/serdes.md.
"""

from serdes.settings.checks import Conf
from serdes.settings.client import ClientSettings
from serdes.settings.serdes import DeserializerSettings, SerializerSettings, SubjectSettings

__all__ = ["ClientSettings", "Conf", "DeserializerSettings", "SerializerSettings", "SubjectSettings"]
