"""Measurements of OpenECS against its peers, in the same run on the same machine."""
