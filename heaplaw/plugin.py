"""The pytest plugin: options and hooks. Nothing heavy is loaded, and nothing is done, before it is asked for."""
