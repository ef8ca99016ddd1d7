"""Airflow accepts the plugin whole, from a folder in which nothing else is taken for one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from airflow._shared.plugins_manager.plugins_manager import _load_plugins_from_plugin_directory
from airflow.api_fastapi.core_api.datamodels.plugins import ExternalViewResponse

FOLDER = Path(__file__).resolve().parents[2] / "plugins"


def test_airflow_loads_it_without_a_complaint() -> None:
    plugins, errors = _load_plugins_from_plugin_directory(str(FOLDER))
    assert errors == {}
    (plugin,) = plugins
    assert plugin.name == "fraudops"
    assert [listener.__name__ for listener in plugin.listeners] == ["fraudops_airflow.preload"]
    assert plugin.fastapi_apps[0]["app"] is plugin.fastapi_apps[0]["app"]
    assert plugin.fastapi_apps[0]["url_prefix"] == "/fraud-ops"


def test_its_menu_entry_and_tabs_are_valid() -> None:
    """One destination that Airflow does not know, and it drops the whole plugin without a word."""
    (plugin,), _ = _load_plugins_from_plugin_directory(str(FOLDER))
    for view in plugin.external_views:
        entry = ExternalViewResponse.model_validate(view)
        assert not entry.href.startswith("/")
    routes = [view["url_route"] for view in plugin.external_views]
    assert routes[0] == "fraud-ops"
    assert len(routes) == len(set(routes)), "Airflow drops the second of two with one route"


def test_a_helper_beside_it_is_not_taken_for_a_plugin(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    shutil.copytree(FOLDER, folder)
    (folder / "helper.py").write_text("raise RuntimeError('imported')\n")
    (folder / "package").mkdir()
    (folder / "package" / "module.py").write_text("raise RuntimeError('imported')\n")
    plugins, errors = _load_plugins_from_plugin_directory(str(folder))
    assert errors == {}
    assert len(plugins) == 1


def test_loading_it_imports_nothing_heavy() -> None:
    code = (
        "import runpy, sys\n"
        "before = set(sys.modules)\n"
        f"runpy.run_path({str(FOLDER / 'fraudops_plugin.py')!r})\n"
        "heavy = {'pandas', 'pyarrow', 'sklearn', 'great_expectations', 'fastapi', 'lightgbm', 'xgboost'}\n"
        "loaded = {name.split('.')[0] for name in set(sys.modules) - before} & heavy\n"
        "assert 'fraudops_airflow.web.app' not in sys.modules\n"
        "assert not loaded, loaded\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
