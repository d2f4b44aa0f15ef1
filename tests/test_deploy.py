"""What `.deploy/` says is true: the service's command behind nginx with that file."""

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml
from websockets.sync.client import connect

from tests.patience import PATIENCE, wait_for
from transfer.datasets.ingest import frames

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / ".deploy"
NAME, BELOW = "studio.example", "/lab/studio"


def words_of_service() -> list[str]:
    """What the unit starts, after Python."""
    unit = (DEPLOY / "transfer-studio.service").read_text()
    (line,) = re.findall(r"^ExecStart=\S+/python (.+)$", unit, re.MULTILINE)
    return line.split()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def needs(program: str) -> str:
    """Where a program lies; without it the test is passed over, but not in CI."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if found:
        return found
    message = f"This test needs {program}: sudo apt install {program}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def configuration(folder: Path, app: int, plain: int, tls: int) -> str:
    """The file of `.deploy/` as the main file of an nginx of this test."""
    text = (DEPLOY / "nginx.conf").read_text()
    for old, new in {
        "server studio:8501;": f"server 127.0.0.1:{app};",
        "listen 80 ": f"listen 127.0.0.1:{plain} ",
        "listen 443 ": f"listen 127.0.0.1:{tls} ",
        "/etc/nginx/tls": str(folder),
        "location / {": f"location {BELOW} {{",
    }.items():
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "\n".join(f"{one}_temp_path {folder}/{one};" for one in kinds)
    # Its workers would be somebody else, who may not look into the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    return (
        f"{user} daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off;\n{paths}\n{text}}}"
    )


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int, Path]]:
    """Ports of nginx without and with TLS, before a server, and its certificate."""
    nginx, openssl = needs("nginx"), needs("openssl")
    folder = tmp_path_factory.mktemp("deploy")
    app, plain, tls = free_port(), free_port(), free_port()
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made += ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    made += ["-keyout", f"{folder}/privkey.pem", "-out", f"{folder}/fullchain.pem"]
    subprocess.run(made, check=True, capture_output=True)
    (folder / "nginx.conf").write_text(configuration(folder, app, plain, tls))
    own = ["--server.port", str(app), "--server.baseUrlPath", BELOW.strip("/")]
    told = {"TRANSFER_HOME": f"{folder}/home", "TRANSFER_SPARE_WORKER": "0"}
    command = [sys.executable, *words_of_service(), *own]
    env = {**os.environ, **told, "TRANSFER_HOSTS": NAME, "TRANSFER_LOG": "json"}
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((folder / "log").open("w"))
        for words in (command, [nginx, "-c", f"{folder}/nginx.conf"]):
            process = subprocess.Popen(words, cwd=ROOT, env=env, stdout=log, stderr=log)
            stack.callback(process.wait, PATIENCE)
            stack.callback(process.terminate)
        found = tls, folder / "fullchain.pem"
        wait_for(lambda: answers(*found) == 200)
        yield plain, *found


def open_connection(port: int, certificate: Path) -> http.client.HTTPConnection:
    """A connection as a browser makes it, which believes the certificate."""
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE)
    raw = socket.create_connection(("127.0.0.1", port), PATIENCE)
    context = ssl.create_default_context(cafile=str(certificate))
    connection.sock = context.wrap_socket(raw, server_hostname=NAME)
    return connection


def ask(
    port: int,
    certificate: Path,
    path: str,
    body: bytes = b"",
    **more: str,
) -> http.client.HTTPResponse:
    """The answer of the server behind the proxy."""
    connection = open_connection(port, certificate)
    headers = {"Host": NAME, **more}
    method = "PUT" if body or more else "GET"
    connection.request(method, f"{BELOW}{path}", body or None, headers)
    return connection.getresponse()


def answers(port: int, certificate: Path) -> int:
    with contextlib.suppress(OSError, http.client.HTTPException):
        return ask(port, certificate, "/api/health").status
    return 0


def test_nginx__passes_on_by_tls_below_a_path(proxy: tuple[int, int, Path]) -> None:
    answer = ask(*proxy[1:], "/api/ready")
    # Without reasons: a proxy may ask for anybody.
    assert b'"store":true' in answer.read()
    assert answer.getheader("Strict-Transport-Security")
    page = ask(*proxy[1:], "/")
    assert page.status == 200 and b"<title>" in page.read()


def test_nginx__sends_everybody_to_tls(proxy: tuple[int, int, Path]) -> None:
    plain = http.client.HTTPConnection("127.0.0.1", proxy[0], timeout=PATIENCE)
    plain.request("GET", BELOW, headers={"Host": NAME})
    answer = plain.getresponse()
    assert (answer.status, answer.getheader("Location")) == (
        301,
        f"https://{NAME}{BELOW}",
    )


def test_nginx__opens_websockets(proxy: tuple[int, int, Path]) -> None:
    _, port, certificate = proxy
    context = ssl.create_default_context(cafile=str(certificate))
    with connect(
        f"wss://{NAME}{BELOW}/_stcore/stream",
        sock=socket.create_connection(("127.0.0.1", port), PATIENCE),
        ssl=context,
        origin=f"https://{NAME}",  # type: ignore[arg-type]
        subprotocols=["streamlit"],  # type: ignore[list-item]
        open_timeout=PATIENCE,
    ) as socket_:
        socket_.ping().wait(PATIENCE)


def test_nginx__lets_large_bodies_pass_and_larger_ones_not(
    proxy: tuple[int, int, Path],
) -> None:
    path = "/api/upload/no-token"
    # The second is refused while nginx still sends it, which must not see that as an
    # end of the connection.
    for size in (frames.MAX_PIECE, 50 << 20):
        passed = ask(*proxy[1:], path, bytes(size))
        assert (passed.status, b"not valid" in passed.read()) == (403, True)
    refused = ask(*proxy[1:], path, **{"Content-Length": str(70 << 20)})
    assert refused.status == 413


@pytest.mark.parametrize("path", ["/api/metrics", "/_stcore/metrics"])
def test_nginx__keeps_metrics_inside(path: str, proxy: tuple[int, int, Path]) -> None:
    assert ask(*proxy[1:], path).status == 404


def test_container__copies_what_is_there_and_starts_what_the_service_does() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split()), line
    (words,) = re.findall(r"^CMD \[(.+)\]$", text, re.MULTILINE)
    started = re.findall(r'"([^"]+)"', words)
    everywhere = ["--server.address", "0.0.0.0"]  # noqa: S104
    assert started == ["python", *words_of_service(), *everywhere]


def line_of(word: str) -> str:
    """What follows the only such word of the Containerfile; its lines may go on."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    (found,) = re.findall(rf"^{word} (.+)$", text, re.MULTILINE)
    return str(found)


def in_list(text: str) -> list[str]:
    """The words of a command in a container's form."""
    return list(json.loads(text[text.index("[") :]))


def environment_of_container(folder: Path) -> dict[str, str]:
    """What the files for containers tell the app, with its data in a folder."""
    told = dict(one.split("=", 1) for one in line_of("ENV").split())
    compose = (DEPLOY / "compose.yaml").read_text()
    for name, value in re.findall(
        r"^      (TRANSFER_\w+): (.*)$", compose, re.MULTILINE
    ):
        chosen = re.sub(r"\$\{\w+:\?[^}]*\}", NAME, value)
        told[name] = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", chosen)
    told = {
        name: value.replace("/data", f"{folder}/data") for name, value in told.items()
    }
    return {"PATH": os.environ["PATH"], "HOME": str(folder), **told}


def test_container__its_steps_as_plain_processes(tmp_path: Path) -> None:
    """No engine builds it here: what it copies runs alone, as it starts it."""
    inside, port = tmp_path / "app", str(free_port())
    inside.mkdir()
    text = (DEPLOY / "Containerfile").read_text()
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        *names, to = line.split()
        for name in names:
            if (ROOT / name).is_dir():
                # As .dockerignore says; other tests compile modules meanwhile.
                compiled = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, inside / to, ignore=compiled)
                continue
            target = inside / to / (Path(name).name if to.endswith(("/", ".")) else "")
            target.parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, target)
    env = environment_of_container(tmp_path)
    assert env["TRANSFER_AUTH"] == "workshop"
    assert env["TRANSFER_HOSTS"] == f"{NAME},studio"
    (tmp_path / "data").mkdir(mode=0o700)
    started = [*in_list(line_of("CMD"))[1:], "--server.port", port]
    command = [sys.executable, *started]
    process = subprocess.Popen(command, cwd=inside, env=env, stderr=subprocess.DEVNULL)
    try:
        asks = in_list(line_of("HEALTHCHECK").replace("8501", port))[1:]
        healthy = [sys.executable, *asks]
        wait_for(
            lambda: (
                not subprocess.run(
                    healthy, stderr=subprocess.DEVNULL, check=False
                ).returncode
            )
        )
        # As the README of this folder says, by the program in the container.
        told = subprocess.check_output(
            [sys.executable, "-m", "transfer", "workshop"],
            cwd=inside,
            env=env,
            text=True,
        )
        assert "access_code: " in told
        assert (tmp_path / "data/workspace/store.sqlite").exists()
        # Whoever is not in the list of names reaches nothing.
        stranger = http.client.HTTPConnection("127.0.0.1", int(port), timeout=PATIENCE)
        for host, status in ((NAME, 200), ("studio", 200), ("evil.example", 403)):
            stranger.request("GET", "/api/health", headers={"Host": host})
            answer = stranger.getresponse()
            assert (answer.status, bool(answer.read())) == (status, True)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_unit__systemd_knows_each_of_its_words(tmp_path: Path) -> None:
    analyze = needs("systemd-analyze")
    text = (DEPLOY / "transfer-studio.service").read_text()
    for old, new in {
        "/opt/transfer-studio/.venv/bin/python": sys.executable,
        "/opt/transfer-studio": str(tmp_path),
        "User=transfer-studio": "User=root",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "transfer-studio.service").write_text(text)
    said = subprocess.run(
        [analyze, "verify", str(tmp_path / "transfer-studio.service")],
        capture_output=True,
        check=True,
        text=True,
    )
    # What it does not know, or finds wrong, it only says.
    assert not said.stdout + said.stderr


@pytest.mark.parametrize(
    "name",
    [
        *("CLUSTER.md", "Containerfile", "README.md", "compose.cluster.yaml"),
        *("compose.yaml", "ray-cluster.yaml", "transfer-studio.service"),
    ],
)
def test_deploy__names_only_variables_that_the_readme_explains(name: str) -> None:
    known = set(re.findall(r"TRANSFER_[A-Z_]+", (ROOT / "README.md").read_text()))
    named = set(re.findall(r"TRANSFER_[A-Z_]+", (DEPLOY / name).read_text()))
    assert named <= known


def test_compose__of_a_cluster_has_what_the_server_and_each_node_need() -> None:
    files = ["compose.yaml", "compose.cluster.yaml"]
    plain, cluster = (yaml.safe_load((DEPLOY / one).read_text()) for one in files)
    services = cluster["services"]
    assert set(services) == {"database", "ray-head", "ray-node", "studio"}
    head, node, studio = (services[n] for n in ("ray-head", "ray-node", "studio"))
    # All are told the same, so a job finds the same store wherever it is.
    assert head["environment"] == node["environment"] == studio["environment"]
    assert studio["environment"]["TRANSFER_ENGINE"] == "ray"
    assert studio["environment"]["RAY_AUTH_MODE"] == "token"
    assert node["volumes"] == plain["services"]["studio"]["volumes"]
    used = {
        one.partition(":")[0] for s in services.values() for one in s.get("volumes", [])
    }
    assert used <= {*plain["volumes"], *cluster["volumes"]}
    container = (DEPLOY / "Containerfile").read_text()
    (command,) = re.findall(r"^CMD (\[.+\])$", container, re.MULTILINE)
    # As the container starts it by itself, but as a node.
    assert " ".join(studio["command"]).endswith(" ".join(json.loads(command)))


@pytest.mark.parametrize("name", ["ray-head", "ray-node", "studio"])
def test_compose__ray_knows_each_option_of_its_nodes(name: str) -> None:
    cluster = yaml.safe_load((DEPLOY / "compose.cluster.yaml").read_text())
    words = " ".join(cluster["services"][name]["command"])
    of_ray = words.partition("ray start ")[2].partition(";")[0].split()
    from ray.scripts.scripts import start  # noqa: PLC0415  a second to import

    asked = [re.sub(r"\$\{\w+:-(.+)\}", r"\1", one) for one in of_ray]
    assert start.make_context("start", asked).params["object_store_memory"]


def test_ray_cluster__passes_ray_s_own_check() -> None:
    from ray.autoscaler._private import util  # noqa: PLC0415  a second to import

    told = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())
    util.validate_config(util.prepare_config(told))
    wrong = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())
    with pytest.raises(jsonschema.ValidationError):
        util.validate_config(util.prepare_config({**wrong, "head": 1}))
