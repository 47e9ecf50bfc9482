"""The company's configuration: YAML files, validated and compiled into what the other rooms read."""

from router.configuration.configuration import Configuration, RegistrarBounds
from router.configuration.findings import ConfigurationError, Finding, Severity
from router.configuration.load import load

__all__ = ["Configuration", "ConfigurationError", "Finding", "RegistrarBounds", "Severity", "load"]
