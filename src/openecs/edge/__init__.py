"""The data plane of load balancers: Envoy, and what it is told."""
