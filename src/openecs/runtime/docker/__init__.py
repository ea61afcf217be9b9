"""The Docker Engine API runtime (Docker, and Podman's compatible socket)."""
