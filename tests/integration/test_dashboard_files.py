"""The dashboard decoded by the SDK, the provisioning files, and the push to a Grafana API."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import DataqueryConfig, Runtime
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.influxql import InfluxQL
from dashboards.push import PushError, push
from dashboards.water import UID, dashboard
from gateway.database.engine import connect
from gateway.registry import rows
from server.command.main import cli
from tests.integration.signing_device import registry
from tests.parts.services import free_port

TOKEN = "made-up"


class Grafana(ThreadingHTTPServer):
    """Answers as Grafana's HTTP API does: folders by uid, dashboards by uid, bearer tokens."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folders: dict[str, Any] = {}
        self.dashboards: dict[str, Any] = {}
        self.url = f"http://127.0.0.1:{self.server_port}/grafana"


class _Handler(BaseHTTPRequestHandler):
    server: Grafana  # pyright: ignore[reportIncompatibleVariableOverride] - http.server sets it

    def do_GET(self) -> None:
        uid = self.path.rpartition("/")[2]
        found = self.server.folders.get(uid)
        self._answer(200, found) if found else self._answer(404, {"message": "folder not found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"message": "Invalid API key"})
        elif self.path == "/grafana/api/folders":
            self.server.folders[body["uid"]] = body
            self._answer(200, body)
        elif self.path == "/grafana/api/dashboards/db":
            self._save(body)
        else:
            self._answer(404, {"message": "Not found"})

    def _save(self, body: dict[str, Any]) -> None:
        uid = body["dashboard"]["uid"]
        if uid in self.server.dashboards and not body.get("overwrite"):
            self._answer(412, {"message": "The dashboard has been changed by someone else"})
            return
        if body["folderUid"] not in self.server.folders:
            self._answer(400, {"message": "folder not found"})
            return
        self.server.dashboards[uid] = body["dashboard"]
        self._answer(200, {"status": "success", "uid": uid, "url": f"/d/{uid}/noria-water"})

    def _answer(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Writes no log."""


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with Grafana() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "noria.toml"
    path.write_text(
        'data = "."\ninfluxdb_bucket = "water/autogen"\ntimezone = "Europe/Paris"\n', "utf-8"
    )
    engine = connect(tmp_path / "noria.db")
    with engine.begin() as connection:
        rows.put(connection, registry(name="North one"), 0.0)
    engine.dispose()
    return path


def _query(data: dict[str, Any]) -> InfluxQL:
    return InfluxQL(data["query"], data["resultFormat"], data["refId"], data["alias"])


def test_the_sdk_reads_the_dashboard_back_unchanged() -> None:
    register_default_plugins()
    Runtime().register_dataquery_variant(DataqueryConfig("influxdb", from_json_hook=_query))
    written = dashboard({"abcdefgh": "north-1"})
    again = json.loads(json.dumps(Dashboard.from_json(written), cls=JSONEncoder))
    assert again == written


def test_every_panel_queries_the_provisioned_source_and_has_a_unique_id() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) == 6
    for panel in panels:
        assert panel["datasource"] == {"type": "influxdb", "uid": "noria-influxdb"}
        assert [target["refId"] for target in panel["targets"]] == ["A"]


def test_push_creates_the_folder_and_is_idempotent(grafana: Grafana) -> None:
    for _ in range(2):
        assert push(grafana.url, TOKEN, dashboard()) == f"{grafana.url}/d/{UID}/noria-water"
    assert grafana.folders["noria"]["title"] == "Noria"
    assert grafana.dashboards[UID]["title"] == "Noria: water"


def test_a_refused_token_and_an_absent_grafana_raise_with_the_remedy(grafana: Grafana) -> None:
    with pytest.raises(PushError, match="service account with role Editor"):
        push(grafana.url, "wrong", dashboard())
    with pytest.raises(PushError, match="no Grafana answers"):
        push(f"http://127.0.0.1:{free_port()}", TOKEN, dashboard())
    with pytest.raises(PushError, match="write it as https"):
        push("grafana.example.org", TOKEN, dashboard())


def test_the_command_pushes_names_only_with_the_option(grafana: Grafana, config: Path) -> None:
    token = config.parent / "token"
    token.write_text(f"{TOKEN}\n", "utf-8")
    options = ["--url", grafana.url, "--token-file", str(token), "--config", str(config)]
    for extra, shown in (([], False), (["--names"], True)):
        done = CliRunner().invoke(cli, ["dashboards", "push", *options, *extra])
        assert done.exit_code == 0, done.output
        assert ("North one" in json.dumps(grafana.dashboards[UID])) is shown


def test_the_command_writes_grafanas_provisioning_files(tmp_path: Path, config: Path) -> None:
    folder = tmp_path / "provisioning"
    done = CliRunner().invoke(cli, ["dashboards", "write", str(folder), "--config", str(config)])
    assert done.exit_code == 0, done.output
    source = yaml.safe_load((folder / "datasources/noria.yaml").read_text())["datasources"][0]
    assert (source["jsonData"]["version"], source["jsonData"]["dbName"]) == ("InfluxQL", "water")
    assert source["secureJsonData"] == {"httpHeaderValue1": "Token $NORIA_INFLUXDB_TOKEN"}
    provider = yaml.safe_load((folder / "dashboards/noria.yaml").read_text())["providers"][0]
    assert Path(provider["options"]["path"]).name == "noria"
    assert json.loads((folder / "dashboards/noria/water.json").read_text())["uid"] == UID


def test_no_data_alerts_and_the_query_has_one_series(tmp_path: Path, config: Path) -> None:
    folder = tmp_path / "provisioning"
    CliRunner().invoke(cli, ["dashboards", "write", str(folder), "--config", str(config)])
    rule = yaml.safe_load((folder / "alerting/noria.yaml").read_text())["groups"][0]["rules"][0]
    assert (rule["noDataState"], rule["execErrState"]) == ("Alerting", "Alerting")
    assert [step["refId"] for step in rule["data"]] == ["A", "B", "C"]
    assert rule["condition"] == "C"
    outer_query = rule["data"][0]["model"]["query"].rpartition(")")[2]
    assert "GROUP BY" not in outer_query
