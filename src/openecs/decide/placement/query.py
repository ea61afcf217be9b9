"""placeholder"""
from dataclasses import dataclass
@dataclass(frozen=True)
class SyntaxProblem:
    message: str
@dataclass(frozen=True)
class Subject:
    attributes: object; agent_connected: object; agent_version: object; ec2_instance_id: object; registered_at: object; running_tasks_count: object; task_groups: object
def parse(t): return SyntaxProblem("x")
def matches(q,s): return False
