"""Prints how long functions and files are, and fails over the hard stops."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

LONGEST_FUNCTION, LONGEST_FILE = 60, 600
ROOT = Path(__file__).parents[1] / "src"

lengths: dict[str, int] = {}
files: dict[str, int] = {}
for path in sorted(ROOT.rglob("*.py")):
    text = path.read_text(encoding="utf-8")
    files[path.relative_to(ROOT).as_posix()] = text.count("\n")
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.FunctionDef(end_lineno=int(end)) | ast.AsyncFunctionDef(end_lineno=int(end)):
                lengths[f"{path.name}:{node.lineno} {node.name}"] = end - node.lineno + 1
            case _:
                pass

ranked = sorted(lengths.values())
p50, p90, p99 = (ranked[len(ranked) * percent // 100] for percent in (50, 90, 99))
print(f"{len(files)} files, {sum(files.values())} lines, the longest {max(files.values())}")
print(f"{len(ranked)} functions: p50 {p50}, p90 {p90}, p99 {p99}, the longest {ranked[-1]} lines")
over = [f"{name}: {size} lines" for name, size in lengths.items() if size > LONGEST_FUNCTION]
over += [f"{name}: {size} lines" for name, size in files.items() if size > LONGEST_FILE]
print("\n".join(over))
sys.exit(1 if over else 0)
