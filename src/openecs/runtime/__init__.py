"""Container engines behind one contract: ``base``, ``spec`` (task to containers, pure), ``docker``,
and ``simulated``, a fake that passes the same contract suite. No policy, no store."""
