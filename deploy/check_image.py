"""Build the image and use it for real, where no container engine runs: `make image-check`, as root.

The base image can't be pulled from a registry of packages, so a stand-in is made: Debian by
debootstrap, with its own Python of the same minor version, under the base's name in a storage that
only this check reads (.image/). On it buildah builds the Dockerfile; then the program runs in the
image as an engine would start it: as the image's user, with its variables, its root read-only, as
the first process of its own. `--layers` prints the size of each layer too.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
STORAGE = ROOT / ".image"
BASE = re.search(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[1]
SUITE = BASE.rpartition("-")[2]
NAME = "titanic_ml"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")  # of this machine: pip asks them
PROGRAMS = ("buildah", "debootstrap")
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")  # by which debootstrap knows Debian
QUICK = ("selection=quick", "evaluation.resamples=50", "n_jobs=1")
QUICK += ("estimator=[majority,one_column,logistic_regression]",)  # as tests/known/results.py
SLOW = ("selection=thorough", "n_jobs=1")
NO_PLACE_HERE = ("cc", "gcc", "make", "git", "pip", "pip3", "poetry", "pytest", "black")


def main() -> None:
    if os.geteuid() or sys.platform != "linux":
        sys.exit("Error: the image is checked by root on Linux: its root folder has to be mounted")
    install_programs()
    say("the Dockerfile, by hadolint")
    run(Path(sys.executable).with_name("hadolint"), "--failure-threshold", "info", "Dockerfile")
    if not buildah("images", "--quiet", "--filter", f"reference=localhost/{BASE}"):
        say(f"a stand-in for {BASE}, by debootstrap")
        make_base()
    say("the image, by buildah")
    build()
    config = json.loads(json.loads(buildah("inspect", "--type", "image", NAME))["Config"])["config"]
    check_config(config)
    with mounted() as image:
        say("what is in its last stage")
        check_contents(image, config)
        say("training and predicting in it, its root read-only")
        check_commands(image, config)
        say("serving in it")
        check_service(image, config)
        say("stopping it")
        check_stop(image, config)
    if "--layers" in sys.argv:
        print(layers())


def say(what: str) -> None:
    print(f"-- {what}", flush=True)


def run(*command: object, **options: object) -> str:
    """What a program prints; it must succeed."""
    done = subprocess.run(
        [str(word) for word in command], cwd=ROOT, text=True, stdout=subprocess.PIPE, **options
    )
    if done.returncode:
        sys.exit(f"{done.stdout}Error: exit code {done.returncode} of {command[0]}")
    return done.stdout


def buildah(*words: object) -> str:
    storage = ("--root", STORAGE / "root", "--runroot", STORAGE / "run")
    return run("buildah", "--storage-driver", "overlay", *storage, *words).strip()


def install_programs() -> None:
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if not KEYS.exists():
        missing.append(KEYS.stem)
    if missing and not shutil.which("apt-get"):
        sys.exit(f"Error: {' and '.join(missing)} not found: install them")
    if missing:
        say(f"installing {' and '.join(missing)}, by apt-get")
        silent = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        quiet = {"stderr": subprocess.STDOUT, "env": silent}
        run("apt-get", "update", "-qq", **quiet)
        run("apt-get", "install", "-qq", "--yes", "--no-install-recommends", *missing, **quiet)


def make_base() -> None:
    """Debian with its own Python, where the base image has one that was compiled for it."""
    with tempfile.TemporaryDirectory(prefix="titanic-base-") as folder:
        needed = "python3,python3-venv,ca-certificates"
        run("debootstrap", "--variant=minbase", f"--include={needed}", SUITE, folder, *mirror())
        (Path(folder) / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        container = buildah("from", "scratch")
        buildah("add", "--quiet", container, folder, "/")
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        buildah("config", "--env", f"PATH={path}", "--label", "stand-in=debootstrap", container)
        buildah("commit", "--quiet", "--rm", container, f"localhost/{BASE}")


def mirror() -> list[str]:
    """Where this machine has its packages from, if they are of the base's Debian."""
    if not shutil.which("apt-get"):
        return []
    asked = ("--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages")
    lines = map(str.split, run("apt-get", "indextargets", *asked).splitlines())
    return [address for suite, address in lines if suite == SUITE][:1]


def build() -> None:
    words = ["--isolation", "chroot", "--pull-never", "--format", "docker", "--layers"]
    if AUTHORITIES.exists():
        words += ["--volume", f"{AUTHORITIES}:{AUTHORITIES}:ro"]
    buildah("build", "--quiet", *words, "--tag", NAME, ".")


def check_config(config: dict) -> None:
    user = config["User"]
    right = re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    expect(bool(right), f"a user and a group by number, neither root's, found {user!r}")
    expect(config["Entrypoint"] == ["titanic-ml"], "the program as the entry point")
    expect(config["Healthcheck"]["Test"][0] == "CMD", "a health check")
    labels = {name.rpartition(".")[2]: text for name, text in config["Labels"].items()}
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    expect(labels["version"] == version[1], f"the label of version {version[1]}")


def expect(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"Error: expected {what}")


@contextmanager
def mounted() -> Iterator[Path]:
    """The image's root folder."""
    container = buildah("from", "--pull-never", NAME)
    try:
        yield Path(buildah("mount", container))
    finally:
        buildah("rm", container)


def check_contents(image: Path, config: dict) -> None:
    places = ("opt/titanic_ml/bin", "usr/local/bin", "usr/bin", "usr/sbin")
    found = [name for name in NO_PLACE_HERE for place in places if (image / place / name).exists()]
    expect(not found, f"no tools that build, found {', '.join(found)}")
    work = (image / "work").stat()
    expect(f"{work.st_uid}:{work.st_gid}" == config["User"], "/work to be the user's own")
    installed = sorted(
        plain(path.name.split("-")[0])
        for path in image.glob("opt/titanic_ml/lib/python3*/site-packages/*.dist-info")
    )
    text = (ROOT / "requirements-image.txt").read_text()
    locked = map(Requirement, re.findall(r"^(\S+==.*?) \\$", text, re.MULTILINE))
    needed = [needs.name for needs in locked if not needs.marker or needs.marker.evaluate()]
    expected = sorted({"titanic-ml", *map(plain, needed)})
    expect(installed == expected, f"the lock's packages, found {set(installed) ^ set(expected)}")


def plain(name: str) -> str:
    """A package's name in one spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


def inside(image: Path, config: dict, work: Path, *command: str) -> list[str]:
    """A command that starts another in the image as an engine does: read-only, but for two folders.

    The mounts are in a namespace of their own, which ends with the command.
    """
    mounts = f"""
        set -e
        mount --make-rprivate /
        mount --bind {image} /mnt && mount -o remount,bind,ro /mnt
        mount -t tmpfs -o mode=1777 tmpfs /mnt/tmp
        mount --bind {work} /mnt/work
        mount -t proc proc /mnt/proc
        mount --rbind /dev /mnt/dev
        mount --rbind /sys /mnt/sys
        user={config["User"]} folder={config["WorkingDir"]}
        exec chroot --userspec=$user /mnt /usr/bin/env -i --chdir=$folder "$@"
    """
    variables = [*config["Env"], f"HOME={config['WorkingDir']}"]
    namespaces = ("unshare", "--mount", "--pid", "--fork")
    return [*namespaces, "sh", "-c", mounts, "sh", *variables, *command]


@contextmanager
def workplace(config: dict) -> Iterator[Path]:
    """A folder that the image's user may write to, with the tables."""
    with tempfile.TemporaryDirectory(prefix="titanic-work-") as name:
        folder = Path(name)
        shutil.copytree(ROOT / "data", folder / "data")
        user, group = map(int, config["User"].split(":"))
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, group)
        yield folder


def check_commands(image: Path, config: dict) -> None:
    """Training and prediction give the known results; nothing else of the image is written."""
    program = config["Entrypoint"]
    with workplace(config) as work:

        def said(*words: str) -> str:
            return run(*inside(image, config, work, *words))

        expect("Usage: titanic-ml" in said(*program, *config["Cmd"]), "help without an argument")
        trained = json.loads(said(*program, "train", "--json", "--quiet", *QUICK))
        output = ("--output", "predictions.parquet", "--json")
        predicted = json.loads(said(*program, "predict", "data/test.csv", *output))
        csv = said(*program, "predict", "data/test.csv", "--output", "-", "--probability")
        known = json.loads((ROOT / "tests/known/results.json").read_text())
        expect(trained["parameters"] == known["train"]["parameters"], "the known parameters")
        expect(predicted["rows"] == 418, "418 predictions")
        rows = [line.split(",") for line in csv.split()[1:]]
        expect([row[0] for row in rows] == list(known["predictions"]), "the passengers in order")
        for passenger, survived, probability in rows:
            right = known["predictions"][passenger]
            near = abs(float(probability) - right[1]) < 1e-6
            expect(int(survived) == right[0] and near, f"the known prediction of {passenger}")
        history = said(*program, "models", "history")
        expect("titanic" in history, f"the user's name in the history, found {history}")
        owners = {(path.stat().st_uid, path.stat().st_gid) for path in work.rglob("*")}
        expect(len(owners) == 1, "all files owned by the image's user")
        attempt = "touch /var/tmp/x 2>/dev/null || echo read-only"  # where else anybody may write
        expect(said("/bin/sh", "-c", attempt) == "read-only\n", "a root that is read-only")


def check_service(image: Path, config: dict) -> None:
    """It answers requests, keeps what it answered, and ends with 0 when it is told to."""
    with workplace(config) as work, socket.socket() as free:
        program = config["Entrypoint"]
        run(*inside(image, config, work, *program, "train", "--quiet", *QUICK))
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = inside(image, config, work, *program, "serve", "--port", str(port))
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        (first,) = wait_for(lambda: children(process.pid))

        def asked(path: str, body: bytes | None = None, kind: str = "text/csv") -> bytes:
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body)
            request.add_header("Content-Type", kind)
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read()

        def ready() -> bytes | None:
            try:
                return asked("/readyz")
            except OSError:
                return None

        wait_for(ready)
        healthy = [word.replace(":8000", f":{port}") for word in config["Healthcheck"]["Test"][1:]]
        run(*inside(image, config, work, *healthy))
        known = json.loads((ROOT / "tests/known/results.json").read_text())
        table = (ROOT / "data/test.csv").read_bytes()
        rows = asked("/predict/file", table).decode().split()[1:]
        right = [f"{id},{answer[0]}" for id, answer in known["predictions"].items()]
        expect(rows == right, "the known predictions of an uploaded table")
        spec = json.loads(asked("/openapi.json"))["paths"]["/predict"]["post"]["requestBody"]
        example = spec["content"]["application/json"]["examples"]["one"]["value"]
        answer = json.loads(asked("/predict", json.dumps(example).encode(), "application/json"))
        expect(0 <= answer["probability"] <= 1, "an answer to the example")
        os.kill(first, signal.SIGTERM)
        told = process.communicate(timeout=60)[1]
        expect(process.returncode == 0, f"exit code 0 after SIGTERM, found {told}")
        expect(len(list(work.glob("served/*.parquet"))) == 1, "a log of what was answered")


def check_stop(image: Path, config: dict) -> None:
    """What an engine sends ends a training at once, and nothing half written stands there."""
    with workplace(config) as work:
        traced = ("env", "PYTHONFAULTHANDLER=1", *config["Entrypoint"])
        command = inside(image, config, work, *traced, "train", "--quiet", *SLOW)
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        (first,) = wait_for(lambda: children(process.pid))
        wait_for(lambda: list(work.glob(".titanic_ml/*/*")))
        os.kill(first, signal.SIGTERM)
        begun = time.monotonic()
        try:
            told = process.communicate(timeout=60)[1].strip()
        except subprocess.TimeoutExpired:
            os.kill(first, signal.SIGABRT)  # Python then tells where it is
            time.sleep(1)
            with suppress(ProcessLookupError):
                os.kill(first, signal.SIGKILL)
            sys.exit(f"Error: it goes on 60 s after SIGTERM: {process.communicate()[1]}")
        took = time.monotonic() - begun
        code = process.returncode
        print(f"stopped {took:.1f} s after the signal, exit code {code}: {told}")
        expect(told.startswith("Interrupted: no version was made"), "one sentence")
        expect(code == 143 and took < 10, "an end within the ten seconds that engines give")
        expect(not list(work.glob("models/*/*")), "no version of an interrupted training")


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def wait_for(condition):
    """What the condition gives once it is true."""
    for _ in range(600):
        if found := condition():
            return found
        time.sleep(0.1)
    sys.exit("Error: nothing happened within a minute")


def layers() -> str:
    """A table of the image's layers: what they hold, and their sizes."""
    with tempfile.TemporaryDirectory(prefix="titanic-layers-") as folder:
        buildah("push", "--quiet", NAME, f"oci:{folder}:{NAME}")
        blobs = Path(folder) / "blobs/sha256"

        def read(digest: str) -> dict:
            return json.loads((blobs / digest.removeprefix("sha256:")).read_bytes())

        index = json.loads((Path(folder) / "index.json").read_text())
        manifest = read(index["manifests"][0]["digest"])
        steps = read(manifest["config"]["digest"])["history"]
        made = [told(s["created_by"]) for s in steps if not s.get("empty_layer")]
        lines = ["| layer | in the registry, MB | on disk, MB |", "| --- | ---: | ---: |"]
        total = [0.0, 0.0]
        for layer, step in zip(manifest["layers"], made):
            path = blobs / layer["digest"].removeprefix("sha256:")
            sizes = layer["size"] / 1e6, unpacked(path) / 1e6
            total = [total[0] + sizes[0], total[1] + sizes[1]]
            lines.append(f"| {step} | {sizes[0]:.1f} | {sizes[1]:.1f} |")
        lines.append(f"| all | {total[0]:.1f} | {total[1]:.1f} |")
        return "\n".join(lines)


def told(step: str) -> str:
    """What made a layer, in short."""
    copied = re.search(r" in (/\S+)", step)
    if "COPY" in step and copied:
        return f"COPY to {copied[1]}"
    return "RUN: remove pip, add the user" if "useradd" in step else "the base (a stand-in)"


def unpacked(path: Path) -> int:
    with gzip.open(path) as file:
        return sum(len(block) for block in iter(lambda: file.read(1 << 20), b""))


if __name__ == "__main__":
    main()
