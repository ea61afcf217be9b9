"""What capacity a service is to have, and when: the verbs of Application Auto Scaling."""
