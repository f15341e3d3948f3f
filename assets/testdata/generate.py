"""Writes ignore.json and trees.json: what azure-ai-ml 1.35.2 does with generated patterns and trees.

    python generate.py        (with azure-ai-ml 1.35.2 installed, on Linux)
"""
import json
import os
import random
import shutil
import tempfile
from pathlib import Path

from azure.ai.ml._utils._asset_utils import (
    get_content_hash,
    get_ignore_file,
    get_object_hash,
    get_upload_files_from_folder,
)
from azure.ai.ml._utils._pathspec import GitWildMatchPattern
from azure.ai.ml.entities._component.code import ComponentIgnoreFile

here = Path(__file__).parent
rnd = random.Random(202208)

NAMES = ["a", "b", "a.b", "ab", "A", "x.log", "log", "build", "c d", "é", "[z]", "a-b", "!k", "#h", "ä.py", "b\\c", "^", "]", "-", "**", "z.pyc", "__pycache__", "日本"]
ATOMS = ["a", "b", "A", ".", "log", "x", "build", "*", "*", "?", "**", "[ab]", "[!a]", "[^a]", "[]a]", "[a-c]", "[!a-c]", "[]-]", "[\\]", "[!]]", "[",
         "]", "\\*", "\\[", "\\a", "é", "日", " ", "#", "!", "^", "-", "$", "(", "+", "|", "{2}", "pyc", "__pycache__", "***", "[a-]", "[--a]", "[c-a]", "\\"]
FIXED = [
    "", " ", "/", "//", "///", "#", "# a", " # a", "\\#h", "!", "!/", "!!k", "\\!k", "**", "**/", "/**", "**/**", "**/**/", "*", "/*", "*/", "*/*", "a/**", "a/**/b",
    "a/**/**/b", "**/a", "**/a/b", "a/b", "/a", "/a/", "a/", "a//b", "a/*/b", "a/***", "***", "a**", "**a", "a**/b", "foo\\", "foo\\ ", "[a", "[]", "[!]", "[a]/[b]", "[!x]", "a[!x]b",
    "[+-9]", "a[+-9]b", "[z-a]", "*.py[co]", "  a  ", "\ta", "a\u00a0", "\u2003a", ".*", "*.log", "build", "build/", "!build/a", "__pycache__", "a?b", "日*", "?", "??",
]


def path():
    return "/".join(rnd.choice(NAMES) for _ in range(rnd.choice([1, 1, 2, 2, 3, 4])))


def pattern():
    n = rnd.choice([1, 1, 2, 2, 3])
    segs = ["".join(rnd.choice(ATOMS) for _ in range(rnd.choice([0, 1, 1, 1, 2, 2, 3]))) for _ in range(n)]
    p = "/".join(segs)
    return rnd.choice(["", "", "", "!"]) + rnd.choice(["", "", "", "/"]) + p + rnd.choice(["", "", "", "/"])


PATHS = sorted({path() for _ in range(160)} | {"a\n", "a/b\n", "a\nb", "x/a\nb/c"})


def decide(lines):
    specs = [GitWildMatchPattern(line.rstrip()) for line in lines]
    out = []
    for p in PATHS:
        matched = False
        for s in specs:
            if s.include is not None and s.match_file(p) is not None:
                matched = s.include
        out.append("1" if matched else "0")
    return "".join(out)


def patterns():
    cases = []
    lists = [[p] for p in FIXED] + [[pattern()] for _ in range(900)] + [[pattern() for _ in range(rnd.randint(2, 6))] for _ in range(400)]
    for lines in lists:
        try:
            cases.append({"lines": lines, "excluded": decide(lines)})
        except Exception as e:  # a pattern that the reference refuses
            cases.append({"lines": lines, "error": type(e).__name__})
    return {"paths": PATHS, "cases": cases}


FILES = ["a.py", "b.txt", "x.log", "keep.log", "Data.csv", "data.bin", "é.txt", "ΣΑΣ.txt", "σας.md", "İx", "ix", "a-b", "a_b", "z.pyc", "README", "readme.md", "Ä", "日本.txt", "a b.c"]
DIRS = ["src", "Src2", "build", "notes", "__pycache__", ".git", "a", "a.b", "b", "data", "ΑΣ"]
RULES = ["*.log", "!keep.log", "build", "build/", "!build/keep.log", "!build/", "notes/", "!notes/a.py", "__pycache__/", "*.pyc", "/a", "a/", "a/b", "**/data", "data/**", "!data/**/b.txt",
         "src/*", "!src/a", "*", "!*/", "!*.py", ".*", "!.amlignore", "ΑΣ", "**/", "# c", "", "[Dd]ata*", "a?b", "/*", "!/src", "!/src/a.py"]


def tree(links):
    entries = {}

    def fill(prefix, depth):
        for name in rnd.sample(FILES, rnd.randint(0, 5)):
            entries[prefix + name] = {"text": rnd.choice(["", "x", "hello\n", name, "y" * rnd.randint(1, 90)])}
        if depth:
            for name in rnd.sample(DIRS, rnd.randint(0, 3)):
                p = prefix + name + "/"
                entries[p] = {"dir": True}
                fill(p, depth - 1)

    fill("", 3)
    if links:
        for _ in range(rnd.randint(1, 4)):
            at = rnd.choice([""] + [p for p in entries if p.endswith("/")])
            name = at + rnd.choice(["link", "Link2", "data.lnk", "zz"])
            if name in entries or name + "/" in entries:
                continue
            files = [p for p in entries if "text" in entries[p]]
            dirs = [p for p in entries if p.endswith("/") and not at.startswith(p) and "link" not in p]
            outside = ["../outside/o.txt", "../outside/", "../outside/deep/"]
            target = rnd.choice(outside + files[:3] + dirs[:3])
            up = "../" * at.count("/")
            entries[name] = {"link": up + target.rstrip("/")}
    rules = rnd.sample(RULES, rnd.randint(1, 6)) if rnd.random() < 0.85 else None
    if rules is not None:
        entries[rnd.choice([".amlignore", ".amlignore", ".gitignore"])] = {"text": "\n".join(rules) + "\n"}
    return entries


OUTSIDE = {"o.txt": "outside", "deep/a.py": "deep", "deep/build/q.log": "q", "deep/data/b.txt": "b"}


def make(base, entries):
    root = base / "tree"
    root.mkdir()
    for p, text in OUTSIDE.items():
        f = base / "outside" / p
        f.parent.mkdir(parents=True, exist_ok=True)
        f.write_text(text)
    for p in sorted(entries):
        e = entries[p]
        f = root / p
        if "dir" in e:
            f.mkdir(parents=True, exist_ok=True)
        elif "text" in e:
            f.write_bytes(e["text"].encode())
    for p in sorted(entries):
        if "link" in entries[p]:
            os.symlink(entries[p]["link"], root / p)
    return root


def loops(entries):
    links = {p: os.path.normpath(os.path.join(os.path.dirname(p), e["link"])) for p, e in entries.items() if "link" in e}
    for p, t in links.items():
        for q in links:
            if (q + "/").startswith(t + "/"):
                return True  # a linked folder that holds a link: order and loops are not what is tested here
    return False


def hidden_links(root, entries):
    """A linked folder inside an ignored one: the reference tests what is in it by its real path and uploads it. We do not enter ignored folders."""
    ignore = ComponentIgnoreFile(root)
    for p, e in entries.items():
        if "link" in e and (root / p).is_dir():
            parts = p.split("/")[:-1]
            for i in range(1, len(parts) + 1):
                if ignore.is_file_excluded(root / "/".join(parts[:i]) / "probe"):
                    return True
    return False


def trees():
    out = []
    while len(out) < 150:
        entries = tree(links=len(out) >= 90)
        if loops(entries):
            continue
        base = Path(tempfile.mkdtemp()).resolve()
        try:
            root = make(base, entries)
            if hidden_links(root, entries):
                continue
            case = {"entries": entries}
            for key, ignore in (("plain", get_ignore_file(root)), ("component", ComponentIgnoreFile(root))):
                files = sorted(name for _, name in get_upload_files_from_folder(root, ignore_file=ignore))
                case[key] = {"files": files, "content": get_content_hash(root, ignore), "object": get_object_hash(root, ignore)}
            out.append(case)
        finally:
            shutil.rmtree(base)
    return {"outside": OUTSIDE, "cases": out}


(here / "ignore.json").write_text(json.dumps(patterns(), ensure_ascii=False, separators=(",", ":")).replace("},{\"", "},\n{\"") + "\n")
(here / "trees.json").write_text(json.dumps(trees(), ensure_ascii=False, separators=(",", ":")).replace("},{\"", "},\n{\"") + "\n")
