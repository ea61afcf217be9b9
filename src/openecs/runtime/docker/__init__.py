"""The Docker Engine API runtime (Docker, and Podman's compatible socket)."""

from openecs.runtime.docker.runtime import DockerRuntime

__all__ = ["DockerRuntime"]
